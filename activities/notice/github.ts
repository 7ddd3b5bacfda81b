/** A deployment's change of state, on its GitHub Deployment. Without credentials for GitHub: nothing. */
import type { Credentials } from '../../clients/github-credentials.js';
import { githubStatus, noticeLinks } from '../../domain/notice.js';
import type { Notice } from '../../domain/messages.js';
import type { GitHubDeps } from '../github/ask.js';
import { createGitHubDeployments } from '../github/deployments.js';

export interface NoticeGitHubDeps extends GitHubDeps {
  credentials: Credentials;
  /** `SLUICE_PUBLIC_URL` */
  publicUrl?: string | undefined;
}

/** @throws ApplicationFailure as `createGitHubDeployments` */
export function createNoticeGitHub({ config, credentials, publicUrl }: NoticeGitHubDeps) {
  const { record } = createGitHubDeployments({ config, credentials });
  return async (notice: Notice): Promise<void> => {
    if (!(await hasAny(credentials))) return;
    const { deployment } = notice;
    const { id, app, environment, kind, tag, actor } = deployment;
    const ref = deployment.release ?? deployment.commit;
    const links = noticeLinks(config, deployment, publicUrl);
    await record({
      ...{ id, app, environment, kind, actor, ...githubStatus(notice) },
      ...(ref ? { ref } : {}),
      ...(tag ? { tag } : {}),
      ...(links.deployment ? { logUrl: links.deployment } : {}),
      ...(links.app ? { environmentUrl: links.app } : {}),
    });
  };
}

export async function hasAny(credentials: Pick<Credentials, 'token'>): Promise<boolean> {
  try {
    return (await credentials.token()) !== undefined;
  } catch {
    return true; // an App, whose token cannot be had now: the first question says why, and when to ask again
  }
}
