// Atomic compare and swap: Unprivileged ISA manual, "Zacas". AssemblyScript.
// `rd` and `rs2` are register numbers; a quadword's registers are rd and rd + 1, least significant first.
import { atomic_address } from './access';
import { register, setRegister } from './bulk';

function signed(value: u64): u64 {
  return u64(i64(i32(value)));
}

export function amocas_w(virtual: u64, rd: u32, rs2: u32): void {
  const address = atomic_address(virtual, 4);
  if (address == 0) return;
  const old = load<u32>(address);
  if (old == u32(register(rd))) store<u32>(address, u32(register(rs2)));
  setRegister(rd, signed(old));
}

export function amocas_d(virtual: u64, rd: u32, rs2: u32): void {
  const address = atomic_address(virtual, 8);
  if (address == 0) return;
  const old = load<u64>(address);
  if (old == register(rd)) store<u64>(address, register(rs2));
  setRegister(rd, old);
}

/** The upper register of a pair; x0's pair is zero throughout. */
function upper(number: u32): u32 {
  return number == 0 ? 0 : number + 1;
}

export function amocas_q(virtual: u64, rd: u32, rs2: u32): void {
  const address = atomic_address(virtual, 16);
  if (address == 0) return;
  const low = load<u64>(address);
  const high = load<u64>(address, 8);
  if (low == register(rd) && high == register(upper(rd))) {
    const newHigh = register(upper(rs2));
    store<u64>(address, register(rs2));
    store<u64>(address, newHigh, 8);
  }
  setRegister(rd, low);
  setRegister(upper(rd), high);
}
