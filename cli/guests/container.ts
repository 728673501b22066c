/** Guests that are processes: a root of files, and a command in it. */
import { UsageError } from '../usage-error';
import { loadLayer } from '../guest-files';
import { describeCommon, wholeNumber, type DescribedGuest, type RunFlags } from './flags';

/** What a program in a terminal looks for, where the user gives nothing else. */
const DEFAULT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  TERM: 'xterm',
};

/** @throws UsageError */
export function describeContainer(flags: RunFlags, command: readonly string[]): DescribedGuest {
  if (flags.root === undefined) {
    throw new UsageError('a container needs its files; give --root DIRECTORY, or --root FILE.tar');
  }
  if (command.length === 0 || command[0] === '') {
    throw new UsageError('a container needs a command; give it after "--", e.g. -- /bin/sh');
  }
  const { workdir, hostname, pids } = flags;
  if (workdir !== undefined && !workdir.startsWith('/')) {
    throw new UsageError(`--workdir ${workdir} is no absolute path; write it from the container's root`);
  }
  const common = describeCommon(flags);
  const environment = { ...DEFAULT_ENVIRONMENT, ...Object.fromEntries((flags.env ?? []).map(variable)) };
  const limit = pids === undefined ? undefined : wholeNumber('--pids', pids);
  if (limit === 0) throw new UsageError('--pids 0 leaves no room for the command; give 1 or more');
  const layers = [flags.root, ...(flags.layer ?? [])].map((path, index) =>
    loadLayer(index === 0 ? 'root' : 'layer', path),
  );
  return {
    definition: {
      ...common,
      model: 'container',
      layers: layers.map(({ image }) => image),
      command,
      environment,
      ...(workdir === undefined ? {} : { workingDirectory: workdir }),
      ...(hostname === undefined ? {} : { hostname }),
      ...(limit === undefined ? {} : { pids: limit }),
    },
    files: { layers: layers.map(({ bytes }) => bytes) },
  };
}

function variable(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--env ${text} is no variable; write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}
