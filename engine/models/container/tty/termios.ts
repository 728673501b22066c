/** Terminal settings as ioctl(TCGETS) shows them: termios(3), asm-generic/termbits.h. */
export const Input = { INLCR: 0o100, IGNCR: 0o200, ICRNL: 0o400, IXON: 0o2000, ISTRIP: 0o40 } as const;
export const Output = { OPOST: 1, ONLCR: 4 } as const;
export const Local = { ISIG: 1, ICANON: 2, ECHO: 8, ECHOE: 0o20, ECHOK: 0o40, ECHONL: 0o100, ECHOCTL: 0o1000, TOSTOP: 0o400, IEXTEN: 0o100000 } as const; // prettier-ignore
export const Control = { INTR: 0, QUIT: 1, ERASE: 2, KILL: 3, EOF: 4, TIME: 5, MIN: 6, START: 8, STOP: 9, SUSP: 10, EOL: 11, WERASE: 14 } as const; // prettier-ignore

/** struct termios of the kernel: four words, c_line, 19 control characters. */
export const TERMIOS_SIZE = 36;

/** A fresh terminal: cooked, 38400 baud, eight bits. */
export function freshTermios(): Uint8Array {
  const bytes = new Uint8Array(TERMIOS_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Input.ICRNL | Input.IXON, true);
  view.setUint32(4, Output.OPOST | Output.ONLCR, true);
  view.setUint32(8, 0o17 | 0o60 | 0o200, true); // B38400, CS8, CREAD
  view.setUint32(
    12,
    Local.ISIG | Local.ICANON | Local.ECHO | Local.ECHOE | Local.ECHOK | Local.ECHOCTL | Local.IEXTEN,
    true,
  );
  bytes.set([3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22], 17);
  return bytes;
}
