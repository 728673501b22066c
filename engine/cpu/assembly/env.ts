// What the embedder provides. Prettier does not know AssemblyScript's decorators: this file is left to the author.

/** Reads 1, 2 or 4 bytes of a device register; sets MMIO_FAULT when nothing is there. */
@external('env', 'mmio_read') export declare function mmioRead(physical: f64, size: u32): u32;
@external('env', 'mmio_write') export declare function mmioWrite(physical: f64, size: u32, value: u32): void;

/** Translates what is in the list of candidates. */
@external('env', 'translate') export declare function translate(): void;
/** A page of RAM, by its number, that translated code was made from is about to change. */
@external('env', 'code_written') export declare function codeWritten(page: u32): void;
