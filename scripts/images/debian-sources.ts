import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One archive that the system's apt is set up with: sources.list(5). */
export interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

/** One-line form, sources.list(5): `deb [option=value ...] uri suite component ...`. Lines of other kinds are passed over. */
export function parseOneLineSources(text: string): Source[] {
  const sources: Source[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({ uri, suites: [suite], components: words(components), signedBy });
  }
  return sources;
}

/** Deb822 form, sources.list(5): paragraphs of `Field: value`, continued on lines that begin with a blank. */
export function parseDeb822Sources(text: string): Source[] {
  const withoutComments = text.split(/\r?\n/).filter((line) => !line.startsWith('#'));
  return withoutComments
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((paragraph) => {
      const fields = new Map<string, string>();
      for (const field of paragraph.replace(/\n[ \t]+/g, ' ').split('\n')) {
        const colon = field.indexOf(':');
        if (colon > 0) fields.set(field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim());
      }
      const list = (name: string): string[] => words(fields.get(name) ?? '');
      if (!list('types').includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled') ?? '')) return [];
      const common = {
        suites: list('suites'),
        components: list('components'),
        signedBy: fields.get('signed-by'),
      };
      return list('uris').map((uri) => ({ uri, ...common }));
    });
}

/**
 * The mirror of the Debian archive among a system's sources, or undefined. Other vendors also publish under a path that
 * ends in /debian, so what the archive's own keyring signs comes first, then hosts of debian.org, then the rest.
 */
export function debianMirror(sources: readonly Source[]): string | undefined {
  const rank = (source: Source): number => {
    if (/debian-archive-/.test(source.signedBy ?? '')) return 0;
    if (/\/\/([^/]*\.)?debian\.org\//.test(`${source.uri}/`)) return 1;
    return source.signedBy === undefined ? 2 : Infinity;
  };
  const candidates = sources
    .filter(({ uri, components }) => /\/debian\/?$/.test(uri) && components.includes('main'))
    .filter((source) => Number.isFinite(rank(source)))
    .sort((a, b) => rank(a) - rank(b));
  return candidates[0]?.uri.replace(/\/$/, '');
}

/** All sources of the system's apt; empty where there is no apt. */
export function systemSources(directory = '/etc/apt'): Source[] {
  const sources: Source[] = [];
  const parts = join(directory, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  for (const file of [join(directory, 'sources.list'), ...names.map((name) => join(parts, name))]) {
    if (!existsSync(file)) continue;
    if (file.endsWith('.list')) sources.push(...parseOneLineSources(readFileSync(file, 'utf8')));
    if (file.endsWith('.sources')) sources.push(...parseDeb822Sources(readFileSync(file, 'utf8')));
  }
  return sources;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
