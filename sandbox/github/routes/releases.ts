import { invalid, notFound, type Answer, type FieldError } from '../answers.js';
import { flag, required, text, type Fields } from '../fields.js';
import { CONTENTS, onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { now, type Release } from '../records.js';
import type { Route } from '../router.js';
import { releaseBody } from '../shapes/record.js';

const DOCS = 'releases/releases';
const LONGEST_BODY = 125_000;

const wrong = (error: Omit<FieldError, 'resource'>): Answer => invalid({ resource: 'Release', ...error });

interface Wanted {
  tag: string;
  target: string;
  draft: boolean;
  body: string | null;
  /** The release that is changed. */
  self?: Release;
}

/** What is wrong with it, or the commit that its tag is, or will be, at. */
async function check(request: RepositoryRequest, wanted: Wanted): Promise<Answer | string> {
  const { git, releases } = request.repository;
  const { tag, target, draft, body, self } = wanted;
  if ([...(body ?? '')].length > LONGEST_BODY)
    return wrong({
      code: 'custom',
      field: 'body',
      message: `body is too long (maximum is ${LONGEST_BODY} characters)`,
    });
  if (!(await git.isRefName(`refs/tags/${tag}`)))
    return wrong({ code: 'custom', field: 'tag_name', message: 'tag_name is not a valid tag' });
  // Drafts may share a tag name; what is published may not.
  if (!draft && releases.some((one) => one !== self && !one.draft && one.tag === tag))
    return wrong({ code: 'already_exists', field: 'tag_name' });
  const tagged = await git.resolve(`refs/tags/${tag}`);
  const commit = tagged ?? (await git.resolve(target));
  return commit ?? wrong({ code: 'invalid', field: 'target_commitish', value: target });
}

/** A tag that is there stays where it is, whatever the target says. */
async function publish({ repository, by }: RepositoryRequest, tag: string, commit: string): Promise<void> {
  const { git, effects } = repository;
  const ref = `refs/tags/${tag}`;
  if (await git.ref(ref)) return;
  await git.updateRef(ref, commit, '0'.repeat(40));
  effects.add({ kind: 'tag', by, what: tag, detail: commit });
}

async function create(request: RepositoryRequest): Promise<Answer> {
  const { fields, repository, by, place } = request;
  const tag = required(fields, 'tag_name');
  const target = text(fields, 'target_commitish') ?? repository.defaultBranch;
  const draft = flag(fields, 'draft', false);
  const body = text(fields, 'body') ?? null;
  const commit = await check(request, { tag, target, draft, body });
  if (typeof commit !== 'string') return commit;
  if (!draft) await publish(request, tag, commit);
  const at = now();
  const release: Release = {
    id: repository.nextId(),
    tag,
    target,
    name: text(fields, 'name') ?? null,
    body,
    draft,
    prerelease: flag(fields, 'prerelease', false),
    author: by,
    createdAt: (await repository.git.commit(commit)).committer.date,
    publishedAt: draft ? null : at,
    updatedAt: at,
  };
  repository.releases.push(release);
  repository.effects.add({ kind: 'release', by, what: tag, detail: commit });
  return { status: 201, body: releaseBody(release, place) };
}

function changed(release: Release, fields: Fields) {
  return {
    tag: text(fields, 'tag_name') ?? release.tag,
    target: text(fields, 'target_commitish') ?? release.target,
    name: text(fields, 'name') ?? release.name,
    body: text(fields, 'body') ?? release.body,
    draft: flag(fields, 'draft', release.draft),
    prerelease: flag(fields, 'prerelease', release.prerelease),
  };
}

async function update(request: RepositoryRequest): Promise<Answer> {
  const { fields, repository, by, place } = request;
  const release = releaseAt(request);
  if (!release) return notFound();
  const next = changed(release, fields);
  const commit = await check(request, { ...next, self: release });
  if (typeof commit !== 'string') return commit;
  if (!next.draft) await publish(request, next.tag, commit);
  const publishedAt = next.draft ? release.publishedAt : (release.publishedAt ?? now());
  Object.assign(release, next, { publishedAt, updatedAt: now() });
  repository.effects.add({ kind: 'release-edit', by, what: release.tag });
  return { status: 200, body: releaseBody(release, place) };
}

/** Whoever may push sees drafts. */
const sees = ({ caller, state, repository }: RepositoryRequest): Release[] => {
  const isWriter = caller.user
    ? state.mayPush(caller.user.login)
    : caller.permissions?.['contents'] === 'write';
  return repository.releases.filter((one) => isWriter || !one.draft);
};

const releaseAt = (request: RepositoryRequest): Release | undefined =>
  sees(request).find(({ id }) => String(id) === request.params['id']);

const shown = (release: Release | undefined, { place }: RepositoryRequest): Answer =>
  release ? { status: 200, body: releaseBody(release, place) } : notFound();

/** The newest by the date of its commit, as GitHub has it; no drafts and prereleases. */
const latest = ({ repository }: RepositoryRequest): Release | undefined =>
  repository.releases
    .filter((one) => !one.draft && !one.prerelease)
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
    .at(-1);

const byTag = (request: RepositoryRequest): Release | undefined =>
  request.repository.releases.find((one) => !one.draft && one.tag === request.params['tag']);

function remove(request: RepositoryRequest): Answer {
  const release = releaseAt(request);
  if (!release) return notFound();
  const { releases } = request.repository;
  releases.splice(releases.indexOf(release), 1);
  return { status: 204 };
}

export const releases: Route[] = [
  onRepository({ method: 'POST', path: '/releases', need: CONTENTS, docs: DOCS, handle: create }),
  onRepository({
    method: 'GET',
    path: '/releases',
    docs: DOCS,
    handle: (request) => paged(request, sees(request).toReversed(), (one) => releaseBody(one, request.place)),
  }),
  onRepository({ method: 'GET', path: '/releases/latest', handle: (one) => shown(latest(one), one) }),
  onRepository({ method: 'GET', path: '/releases/tags/{tag*}', handle: (one) => shown(byTag(one), one) }),
  onRepository({ method: 'GET', path: '/releases/{id}', handle: (one) => shown(releaseAt(one), one) }),
  onRepository({ method: 'PATCH', path: '/releases/{id}', need: CONTENTS, docs: DOCS, handle: update }),
  onRepository({ method: 'DELETE', path: '/releases/{id}', need: CONTENTS, docs: DOCS, handle: remove }),
];
