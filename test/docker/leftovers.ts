/** What a run may have left in Docker. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const docker = async (...args: string[]): Promise<string[]> =>
  (await promisify(execFile)('docker', args, { timeout: 20_000 })).stdout.split('\n').filter(Boolean);

export interface InDocker {
  containers: string[];
  networks: string[];
  images: string[];
}

/** Containers and images of a registry's images, and networks of a sandbox of this process. */
export async function inDocker(registry: string): Promise<InDocker> {
  const [containers, networks, images] = await Promise.all([
    docker('ps', '--all', '--format', '{{.Names}} {{.Image}}'),
    docker('network', 'ls', '--format', '{{.Name}}', '--filter', `name=sluice-sandbox-${process.pid}-`),
    docker('images', '--format', '{{.Repository}}:{{.Tag}}', `${registry}/*`),
  ]);
  return { containers: containers.filter((line) => line.includes(` ${registry}/`)), networks, images };
}
