import { DeclarationError } from './declaration-error';

/**
 * What a guest's CPU can have on top of rv64gc, as the ISA manuals name it. Must say what the engine's own table says
 * (engine/isa/extensions.ts), which this package's declarations may not import: a test holds the two together.
 */
const cpuFeatures = new Map<string, string>([
  ['rv64gc', 'nothing more'],
  ['rva22', 'what the profile RVA22 demands'],
  ['max', 'all there is'],
  ['zicbom', 'cache-block management'],
  ['zicbop', 'cache-block prefetches'],
  ['zicboz', 'cache-block zeroing'],
  ['zicond', 'conditional zeroing'],
  ['zihintntl', 'non-temporal locality hints'],
  ['zihintpause', 'pause hint'],
  ['zimop', 'may-be-operations'],
  ['zacas', 'atomic compare and swap'],
  ['zawrs', 'waiting on a reservation'],
  ['zfa', 'additional floating-point instructions'],
  ['zfh', 'half precision'],
  ['zfhmin', 'half precision, in memory only'],
  ['zba', 'address generation'],
  ['zbb', 'basic bit manipulation'],
  ['zbc', 'carry-less multiplication'],
  ['zbkb', 'bit manipulation for cryptography'],
  ['zbkc', 'carry-less multiplication for cryptography'],
  ['zbs', 'single-bit instructions'],
  ['zvl32b', 'vector registers of 32 bits at least'],
  ['zvl64b', 'vector registers of 64 bits at least'],
  ['zvl128b', 'vector registers of 128 bits'],
  ['zve32x', 'vectors of integers up to 32 bits'],
  ['zve32f', 'and of single-precision numbers'],
  ['zve64x', 'vectors of integers up to 64 bits'],
  ['zve64f', 'and of single-precision numbers'],
  ['zve64d', 'and of double-precision numbers'],
  ['v', 'vectors of 128 bits'],
  ['zvfhmin', 'vectors of half-precision numbers, in memory only'],
  ['zvfh', 'vectors of half-precision numbers'],
  ['zcb', 'more compressed instructions'],
  ['zcmop', 'compressed may-be-operations'],
  ['sdtrig', 'hardware breakpoints'],
  ['smcntrpmf', 'cycle and instret counted by mode'],
  ['smepmp', 'physical memory protection that binds machine mode too'],
  ['smstateen', 'machine mode decides about state of the others'],
  ['sscofpmf', 'performance counters that interrupt'],
  ['ssstateen', 'supervisor mode decides about state of user mode'],
  ['sstc', 'supervisor-mode timer interrupts'],
  ['sv48', 'page tables of four levels'],
  ['sv57', 'page tables of five levels'],
  ['svade', 'accessed and dirty bits are set by software'],
  ['svadu', 'accessed and dirty bits are set by the hart'],
  ['svinval', 'fences of address translation that can be batched'],
  ['svnapot', 'pages of 64 KiB'],
  ['svpbmt', 'memory types of pages'],
]);

/** Part of every guest's CPU: may be named, and changes nothing. */
const always: ReadonlySet<string> = new Set(
  'i m a f d c zicsr zifencei zicntr zihpm zaamo zalrsc zca zcd ziccamoa ziccif zicclsm ziccrse za64rs zic64b zkt ssccptr sscounterenw sstvala sstvecd ssu64xl svbare sv39'.split(
    ' ',
  ),
);

/**
 * Checks a list of CPU features and gives those that are a choice, in the table's order and without repetitions, so
 * that equal CPUs have equal definitions.
 *
 * @throws DeclarationError for a name that is not in the table.
 */
export function checkCpuFeatures(input: string, features: readonly string[]): string[] {
  const unknown = features.find((feature) => !cpuFeatures.has(feature) && !always.has(feature));
  if (unknown !== undefined) {
    const known = [...cpuFeatures].map(([name, meaning]) => `${name} (${meaning})`).join(', ');
    throw new DeclarationError(
      input,
      `"${unknown}" is no CPU feature that the engine has`,
      `Use names of this list, in lower case; rv64gc is always there: ${known}`,
    );
  }
  return [...cpuFeatures.keys()].filter((name) => features.includes(name));
}
