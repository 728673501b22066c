import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkCount } from './count';
import { DeclarationError } from './declaration-error';
import { Guest, GuestAttributes, GuestProps, IGuest, ImportedGuest } from './guest';
import { OciImage } from './image/oci';

/** A guest that is processes, on the host's own kernel. */
export interface IContainer extends IGuest {}

/** What is known of a container that another app declares. */
export interface ContainerAttributes extends GuestAttributes {}

/** Properties of a {@link Container}. */
export interface ContainerProps extends GuestProps {
  /** The files that the container starts from, of any riscv64 Linux distribution. */
  readonly image: OciImage;

  /** Program and its arguments. A name without a slash is looked for in PATH. The container ends with it. */
  readonly command: string[];

  /**
   * Program and arguments that each event is given to: the event, a line of JSON, on its stdin; its stdout is the
   * result.
   *
   * @default - events are refused, and their result says so
   */
  readonly onEvent?: string[];

  /**
   * Environment variables, known at synth.
   *
   * @default - none but those that the container's own kernel sets
   */
  readonly environment?: { [name: string]: string };

  /**
   * Absolute path of the directory that the command starts in.
   *
   * @default /
   */
  readonly workingDirectory?: string;

  /**
   * The container's host name, at most 64 letters, digits, dots and hyphens.
   *
   * @default - that of the container's own kernel
   */
  readonly hostname?: string;

  /**
   * Tasks that it can have at once, threads included.
   *
   * @default 256
   */
  readonly pids?: number;
}

/** Linux, include/uapi/linux/utsname.h: `__NEW_UTS_LEN`. */
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/;

/**
 * OS-level virtualization: no hardware is imitated. The host's kernel serves Linux system calls to unmodified
 * riscv64 programs, each container isolated in namespaces of its own; different distributions run side by side.
 */
export class Container extends Guest implements IContainer {
  /** Refers to a container that another app declares. */
  public static fromContainerAttributes(
    scope: Construct,
    id: string,
    attributes: ContainerAttributes,
  ): IContainer {
    return new ImportedGuest(scope, id, attributes);
  }

  constructor(scope: Construct, id: string, props: ContainerProps) {
    super(scope, id, props);
    const of = (property: string) => `${property} of ${this.node.path}`;
    const { workingDirectory, hostname, pids } = props;
    const command = checkProgram(of('command'), props.command);
    const onEvent = props.onEvent && checkProgram(of('onEvent'), props.onEvent);
    const environment = props.environment && checkEnvironment(of('environment'), props.environment);
    if (workingDirectory !== undefined) checkWorkingDirectory(of('workingDirectory'), workingDirectory);
    if (hostname !== undefined) checkHostname(of('hostname'), hostname);
    this._deploy((assets) => ({
      model: 'container',
      layers: props.image._bind(assets),
      command,
      ...(onEvent && { onEvent }),
      ...(environment && { environment }),
      ...(workingDirectory !== undefined && { workingDirectory }),
      ...(hostname !== undefined && { hostname }),
      ...(pids !== undefined && { pids: checkCount(of('pids'), pids) }),
    }));
  }
}

/** Text that a program can be given: the definition is a file of the assembly, and the kernel ends texts with a zero byte. */
function checkText(input: string, text: string): void {
  if (Token.isUnresolved(text)) {
    throw new DeclarationError(
      input,
      'it is not known at synth',
      "Give a literal text, or send the value to the guest as an event: a deployment's values are not part of its image",
    );
  }
  if (text.includes('\0')) {
    throw new DeclarationError(input, `${JSON.stringify(text)} contains a zero byte`, 'Leave it out');
  }
}

function checkProgram(input: string, program: string[]): string[] {
  if (Token.isUnresolved(program) || program.length === 0 || program[0] === '') {
    throw new DeclarationError(
      input,
      'it names no program',
      "Give a program and its arguments, e.g. ['/bin/sh', '-c', 'echo hello']",
    );
  }
  program.forEach((text, index) => checkText(`${input}, element ${index}`, text));
  return [...program];
}

function checkEnvironment(input: string, environment: { [name: string]: string }): Record<string, string> {
  // Sorted, so that equal environments have equal definitions.
  const variables = Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of variables) {
    if (!/^[^=\0]+$/.test(name)) {
      throw new DeclarationError(
        input,
        `${JSON.stringify(name)} is no name of an environment variable`,
        'Use a name that is not empty, without "="',
      );
    }
    checkText(`${input}, ${name}`, name);
    checkText(`${input}, ${name}`, value);
  }
  return Object.fromEntries(variables);
}

function checkWorkingDirectory(input: string, directory: string): void {
  checkText(input, directory);
  if (!directory.startsWith('/')) {
    throw new DeclarationError(
      input,
      `"${directory}" is no absolute path`,
      `Write it from the root: "/${directory}"`,
    );
  }
}

function checkHostname(input: string, hostname: string): void {
  checkText(input, hostname);
  if (!HOST_NAME.test(hostname)) {
    throw new DeclarationError(
      input,
      `"${hostname}" is no host name`,
      'Use 1 to 64 letters, digits, dots and hyphens, with a letter or digit at either end',
    );
  }
}
