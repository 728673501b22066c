/**
 * Reads a cloud assembly (`cdk.out`): the stack's template and where each
 * file asset lies. Format: aws-cdk-lib, cloud-assembly-schema.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LocalCloudError } from './errors';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: JsonObject;
  readonly Condition?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: Json }>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: Json }>>;
}

/** One file asset as the deployment would upload it. Names may hold `${AWS::...}` placeholders. */
export interface Asset {
  /** Absolute path of the file, or of the directory that a deployment would zip. */
  readonly path: string;
  readonly packaging: 'file' | 'zip';
  readonly bucketName: string;
  readonly objectKey: string;
}

export interface Assembly {
  readonly directory: string;
  readonly stackName: string;
  /** Undefined when the stack is environment-agnostic. */
  readonly region: string | undefined;
  readonly template: Template;
  readonly assets: readonly Asset[];
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly displayName?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: {
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly file?: string;
    readonly directoryName?: string;
  };
}

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path?: string; readonly packaging?: 'file' | 'zip' };
        readonly destinations: Readonly<
          Record<string, { readonly bucketName: string; readonly objectKey: string }>
        >;
      }
    >
  >;
}

interface Stack {
  readonly id: string;
  readonly directory: string;
  readonly artifact: Artifact;
  readonly siblings: Readonly<Record<string, Artifact>>;
}

/**
 * @param stackName artifact id, display name or stack name; may be left out when the assembly has one stack.
 * @throws LocalCloudError when the directory is no assembly or the stack cannot be told.
 */
export function readAssembly(directory: string, stackName?: string): Assembly {
  const root = resolve(directory);
  const stacks = findStacks(root);
  const stack = chooseStack(stacks, root, stackName);
  const properties = stack.artifact.properties ?? {};
  return {
    directory: root,
    stackName: properties.stackName ?? stack.id,
    region: regionOf(stack.artifact.environment),
    template: readJson<Template>(
      join(stack.directory, properties.templateFile ?? `${stack.id}.template.json`),
    ),
    assets: readAssets(stack),
  };
}

function findStacks(directory: string): Stack[] {
  const manifestFile = join(directory, 'manifest.json');
  if (!existsSync(manifestFile)) {
    throw new LocalCloudError(
      `${directory} is no cloud assembly: it has no manifest.json; run "cdk synth" first`,
    );
  }
  const artifacts = readJson<{ artifacts?: Record<string, Artifact> }>(manifestFile).artifacts ?? {};
  return Object.entries(artifacts).flatMap(([id, artifact]) => {
    if (artifact.type === 'aws:cloudformation:stack')
      return [{ id, directory, artifact, siblings: artifacts }];
    // A Stage is an assembly inside the assembly.
    if (artifact.type === 'cdk:cloud-assembly' && artifact.properties?.directoryName !== undefined) {
      return findStacks(join(directory, artifact.properties.directoryName));
    }
    return [];
  });
}

function chooseStack(stacks: readonly Stack[], root: string, name: string | undefined): Stack {
  const names = stacks.map((stack) => stack.artifact.displayName ?? stack.id);
  const matching =
    name === undefined
      ? stacks
      : stacks.filter((stack) =>
          [stack.id, stack.artifact.displayName, stack.artifact.properties?.stackName].includes(name),
        );
  const [only, another] = matching;
  if (only !== undefined && another === undefined) return only;
  if (stacks.length === 0) throw new LocalCloudError(`${root} has no stack; add one to the app`);
  if (name === undefined)
    throw new LocalCloudError(`${root} has several stacks; choose one of: ${names.join(', ')}`);
  throw new LocalCloudError(`${root} has no single stack "${name}"; choose one of: ${names.join(', ')}`);
}

/** `aws://account/region`, either of them possibly `unknown-...`. */
function regionOf(environment: string | undefined): string | undefined {
  const region = /^aws:\/\/[^/]+\/(.+)$/.exec(environment ?? '')?.[1];
  return region === undefined || region === 'unknown-region' ? undefined : region;
}

function readAssets(stack: Stack): Asset[] {
  const dependencies = stack.artifact.dependencies ?? [];
  return dependencies.flatMap((id) => {
    const artifact = stack.siblings[id];
    if (artifact?.type !== 'cdk:asset-manifest' || artifact.properties?.file === undefined) return [];
    const manifest = readJson<AssetManifest>(join(stack.directory, artifact.properties.file));
    return Object.values(manifest.files ?? {}).flatMap(({ source, destinations }) => {
      if (source.path === undefined) return []; // made by an executable at deployment; none of ours is
      const path = resolve(stack.directory, source.path);
      return Object.values(destinations).map(({ bucketName, objectKey }) => ({
        path,
        packaging: source.packaging ?? 'file',
        bucketName,
        objectKey,
      }));
    });
  });
}

function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (error) {
    throw new LocalCloudError(`cannot read ${file}: ${(error as Error).message}; run "cdk synth" again`);
  }
}
