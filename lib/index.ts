export * from './clock';
export * from './guest';
export * from './host';
export type { HostAttributes, IHost } from './host-base';
export type { FirmwareImageProps } from './image/firmware';
export { GuestImage } from './image/guest-image';
export type { LinuxImageProps } from './image/linux';
export * from './virtual-machine';
