/** The part of dynalite that the tests use; the package brings no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';
  function dynalite(options?: {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }): Server;
  export = dynalite;
}
