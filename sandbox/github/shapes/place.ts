/** Where the bodies of answers take their addresses and people from. */
import type { Repository } from '../repository.js';
import type { GitHubState } from '../state.js';

export interface Place {
  repository: Repository;
  state: GitHubState;
  /** Of this server, without a slash at the end. */
  url: string;
}

export const apiOf = ({ url, repository }: Place): string =>
  `${url}/repos/${repository.owner}/${repository.name}`;
export const htmlOf = ({ url, repository }: Place): string => `${url}/${repository.owner}/${repository.name}`;

export const nodeId = (kind: string, id: string | number): string =>
  Buffer.from(`0${kind.length}:${kind}${id}`).toString('base64');

/** A path or ref in an address: its slashes stay. */
export const inUrl = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
