/** The pages that GitHub's links lead to; anybody may read them, nobody has a password here. */
import { notFound, type Answer } from '../answers.js';
import { changesBetween } from '../diff.js';
import { isRecord } from '../fields.js';
import { mergePullRequest, type MergePullRequest } from '../people.js';
import type { Repository } from '../repository.js';
import type { Route, RouteRequest } from '../router.js';
import type { Place } from '../shapes/place.js';
import { commitPage, frontPage, pullPage, releasePage, runPage } from '../shapes/site.js';
import { APPS } from '../../sample/files.js';
import { troublePage } from '../shapes/sign-in.js';

interface Asked extends RouteRequest {
  repository: Repository;
  place: Place;
}

/** @param show the page; undefined where there is nothing */
function site(path: string, show: (asked: Asked) => string | undefined | Promise<string | undefined>): Route {
  return {
    method: 'GET',
    path,
    open: true,
    async handle(request): Promise<Answer> {
      const { repository, state, url, params } = request;
      const { owner = repository?.owner, repo = repository?.name } = params;
      if (!repository || owner !== repository.owner || repo !== repository.name) return notFound();
      const text = await show({ ...request, repository, place: { repository, state, url } });
      return text === undefined
        ? {
            status: 404,
            text: troublePage('There is nothing here: this plays GitHub only as far as needed.'),
          }
        : { status: 200, text };
    },
  };
}

const HERE = '/{owner}/{repo}';

export const sites: Route[] = [
  site('/', ({ state, place }) => {
    const people = state.people().filter((login) => state.mayPush(login));
    return frontPage({ people, apps: APPS }, place);
  }),
  site(`${HERE}/pull/{number}`, ({ repository, params, place }) => {
    const pull = repository.pull(Number(params['number']));
    return pull && pullPage(pull, place);
  }),
  site(`${HERE}/actions/runs/{run}`, ({ repository, params, place }) => {
    const run = repository.actions.run(Number(params['run']));
    return run && runPage(run, place);
  }),
  site(`${HERE}/commit/{sha}`, async ({ repository, params }) => {
    const { git } = repository;
    const sha = await git.resolve(params['sha'] ?? '');
    if (sha === undefined) return undefined;
    const commit = await git.commit(sha);
    return commitPage(commit, await changesBetween(git, commit.parents[0], sha));
  }),
  site(`${HERE}/releases/tag/{tag*}`, ({ repository, params }) => {
    const release = repository.releases.find(({ tag }) => tag === params['tag']);
    return release && releasePage(release);
  }),
  {
    method: 'POST',
    path: '/_sandbox/site/merges',
    open: true,
    async handle({ repository, state, body, url }): Promise<Answer> {
      if (!repository) return notFound();
      const { number, ...rest } = isRecord(body) ? body : {};
      const title = `Change ${String(rest['app'])}`;
      const input = number === undefined ? { ...rest, title } : { number: Number(number) };
      try {
        const merge = () => mergePullRequest(repository, state, input as MergePullRequest);
        const merged = await repository.exclusive(merge);
        const location = `${url}/${repository.owner}/${repository.name}/pull/${merged.number}`;
        return { status: 303, text: '', headers: { location } };
      } catch (error) {
        return { status: 422, text: troublePage(error instanceof Error ? error.message : String(error)) };
      }
    },
  },
];
