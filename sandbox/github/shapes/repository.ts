/** A repository as it stands in other answers, and with what it says of itself. */
import { pathToFileURL } from 'node:url';
import { REPOSITORY_ID } from '../ids.js';
import { accountBody } from './account.js';
import { apiOf, htmlOf, nodeId, type Place } from './place.js';

/** Addresses with a part to fill in, as GitHub gives them. */
const TEMPLATES: Record<string, string> = {
  archive: '/{archive_format}{/ref}',
  assignees: '/assignees{/user}',
  blobs: '/git/blobs{/sha}',
  branches: '/branches{/branch}',
  collaborators: '/collaborators{/collaborator}',
  comments: '/comments{/number}',
  commits: '/commits{/sha}',
  compare: '/compare/{base}...{head}',
  contents: '/contents/{+path}',
  contributors: '/contributors',
  deployments: '/deployments',
  downloads: '/downloads',
  events: '/events',
  forks: '/forks',
  git_commits: '/git/commits{/sha}',
  git_refs: '/git/refs{/sha}',
  git_tags: '/git/tags{/sha}',
  hooks: '/hooks',
  issue_comment: '/issues/comments{/number}',
  issue_events: '/issues/events{/number}',
  issues: '/issues{/number}',
  keys: '/keys{/key_id}',
  labels: '/labels{/name}',
  languages: '/languages',
  merges: '/merges',
  milestones: '/milestones{/number}',
  notifications: '/notifications{?since,all,participating}',
  pulls: '/pulls{/number}',
  releases: '/releases{/id}',
  stargazers: '/stargazers',
  statuses: '/statuses/{sha}',
  subscribers: '/subscribers',
  subscription: '/subscription',
  tags: '/tags',
  teams: '/teams',
  trees: '/git/trees{/sha}',
};

const COUNTS = { forks: 0, forks_count: 0, watchers: 0, watchers_count: 0, stargazers_count: 0, size: 108 };

const HAS = {
  has_issues: true,
  has_projects: true,
  has_downloads: true,
  has_wiki: true,
  has_pages: false,
  has_discussions: false,
};

export function repositoryBody(place: Place) {
  const { repository, state, url } = place;
  const { owner, name, createdAt, defaultBranch, git, pulls } = repository;
  const api = apiOf(place);
  const open = pulls.filter((pull) => pull.state === 'open').length;
  return {
    id: REPOSITORY_ID,
    node_id: nodeId('Repository', REPOSITORY_ID),
    name,
    full_name: `${owner}/${name}`,
    private: false,
    owner: accountBody(owner, state, url),
    html_url: htmlOf(place),
    description: 'A repository of the sandbox',
    fork: false,
    url: api,
    ...Object.fromEntries(Object.entries(TEMPLATES).map(([key, path]) => [`${key}_url`, api + path])),
    git_url: pathToFileURL(git.dir).href,
    ssh_url: `git@127.0.0.1:${owner}/${name}.git`,
    clone_url: pathToFileURL(git.dir).href,
    svn_url: htmlOf(place),
    mirror_url: null,
    homepage: null,
    language: 'HTML',
    ...HAS,
    ...COUNTS,
    archived: false,
    disabled: false,
    is_template: false,
    web_commit_signoff_required: false,
    custom_properties: {},
    visibility: 'public',
    license: null,
    open_issues: open,
    open_issues_count: open,
    default_branch: defaultBranch,
    created_at: createdAt,
    updated_at: createdAt,
    pushed_at: createdAt,
    topics: [],
  };
}

export const fullRepositoryBody = (place: Place) => ({
  ...repositoryBody(place),
  network_count: 0,
  subscribers_count: 0,
});
