import { Uart16550 } from '../../engine/devices/uart16550';
import { deviceContract, RecordingLine } from '../contract/device';

function uart() {
  const line = new RecordingLine();
  const output: number[] = [];
  const device = new Uart16550({ interrupt: line, onOutput: (byte) => output.push(byte) });
  return {
    device,
    line,
    output,
    get: (offset: number) => device.read(offset, 1),
    put: (offset: number, value: number) => device.write(offset, 1, value),
    type: (text: string) => device.receive(new TextEncoder().encode(text)),
  };
}
const RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7; // prettier-ignore

deviceContract('uart16550', () => {
  const { device, line, type } = uart();
  return {
    device,
    size: 0x100,
    offsets: [0, 1, 2, 3, 4, 5, 6, 7],
    values: [0x10, 0x80, 0x1b, 0xc7],
    lines: [line],
    stimuli: [(value) => type('x'.repeat(value % 40))],
  };
});

describe('uart16550', () => {
  test('transmits at once and is always ready', () => {
    const { get, put, output } = uart();
    for (const byte of [72, 105, 10]) {
      expect(get(LSR) & 0x60).toBe(0x60);
      put(THR, byte);
    }
    expect(output).toEqual([72, 105, 10]);
  });

  test('the divisor latch hides the data and interrupt registers', () => {
    const { get, put, output } = uart();
    put(IER, 0x05);
    put(LCR, 0x83);
    put(0, 0x34);
    put(1, 0x12);
    expect([get(0), get(1)]).toEqual([0x34, 0x12]);
    put(LCR, 0x03);
    expect(get(IER)).toBe(0x05);
    expect(output).toEqual([]);
  });

  test('enabling the transmitter interrupt raises it; IIR shows and clears it; writing and re-enabling raise it again', () => {
    const { get, put, line } = uart();
    expect(get(IIR)).toBe(0x01);
    put(IER, 0x02);
    expect(line.asserted).toBe(true);
    expect(get(IIR)).toBe(0x02);
    expect(line.asserted).toBe(false);
    expect(get(IIR)).toBe(0x01);
    put(THR, 65);
    expect(line.asserted).toBe(true);
    expect(get(IIR)).toBe(0x02);
    put(IER, 0x00);
    put(IER, 0x02); // what Linux calls the THRE test
    expect(get(IIR)).toBe(0x02);
  });

  test('reading IIR leaves the transmitter interrupt while one of higher priority is shown', () => {
    const { get, put, type } = uart();
    put(IER, 0x03);
    type('a');
    expect(get(IIR)).toBe(0x04);
    expect(get(RBR)).toBe(97);
    expect(get(IIR)).toBe(0x02);
  });

  test('typed bytes wait for as long as it takes and arrive in order', () => {
    const { get, put, type, line, device } = uart();
    put(FCR, 0x01);
    put(IER, 0x01);
    const text = Array.from({ length: 1000 }, (_, index) => String.fromCharCode(33 + (index % 90))).join('');
    type(text.slice(0, 700));
    type(text.slice(700));
    expect(device.unread).toBe(1000);
    let read = '';
    while (get(LSR) & 1) {
      expect(line.asserted).toBe(true);
      read += String.fromCharCode(get(RBR));
    }
    expect(read).toBe(text);
    expect(line.asserted).toBe(false);
    expect(get(LSR) & 0x02).toBe(0);
  });

  test('below the trigger level the time-out interrupt is shown, from it on the data interrupt', () => {
    const { get, put, type } = uart();
    put(FCR, 0x81); // trigger level 8
    put(IER, 0x01);
    type('1234567');
    expect(get(IIR)).toBe(0xcc);
    type('8');
    expect(get(IIR)).toBe(0xc4);
  });

  test('loopback: modem outputs come back as inputs, data comes back as data, nothing leaves', () => {
    const { get, put, output, type } = uart();
    put(MCR, 0x1a); // loopback, OUT2, RTS: the probe of Linux and of BSDs
    expect(get(MSR) & 0xf0).toBe(0x90);
    put(THR, 0x5a);
    type('z');
    expect(get(RBR)).toBe(0x5a);
    expect(get(LSR) & 0x01).toBe(0);
    expect(output).toEqual([]);
    put(MCR, 0x0b);
    expect(get(MSR) & 0xf0).toBe(0xb0);
    expect(get(RBR)).toBe('z'.charCodeAt(0));
  });

  test('a loopback overrun is reported once, as the interrupt of highest priority', () => {
    const { get, put } = uart();
    put(FCR, 0x01);
    put(MCR, 0x10);
    put(IER, 0x05);
    for (let index = 0; index < 17; index++) put(THR, index);
    expect(get(IIR)).toBe(0xc6);
    expect(get(LSR) & 0x03).toBe(0x03);
    expect(get(LSR) & 0x02).toBe(0);
    expect(get(RBR)).toBe(0);
  });

  test('changed modem inputs show as deltas until MSR is read', () => {
    const { get, put, line } = uart();
    put(IER, 0x08);
    put(MCR, 0x14); // loopback with the ring indicator on
    expect(line.asserted).toBe(true);
    expect(get(MSR)).toBe(0x40 | 0x0b);
    expect(line.asserted).toBe(false);
    put(MCR, 0x10);
    expect(get(IIR) & 0x0f).toBe(0x00);
    expect(get(MSR)).toBe(0x04);
  });

  test('FCR: IIR tells that FIFOs are on; clearing drops what the FIFO held', () => {
    const { get, put, type } = uart();
    put(FCR, 0x01);
    expect(get(IIR)).toBe(0xc1);
    type('abc');
    put(FCR, 0x03);
    expect(get(LSR) & 0x01).toBe(0);
    put(FCR, 0xc0); // without bit 0 the trigger bits do not count
    expect(get(IIR)).toBe(0x01);
  });

  test('the scratch register keeps its value; IER keeps only four bits', () => {
    const { get, put } = uart();
    put(SCR, 0xa5);
    put(IER, 0xf0);
    expect([get(SCR), get(IER)]).toEqual([0xa5, 0x00]);
  });
});
