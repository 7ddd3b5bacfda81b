/** Releases, deployments and their statuses. */
import type { Deployment, DeploymentStatus, Release } from '../records.js';
import { accountBody } from './account.js';
import { apiOf, htmlOf, inUrl, nodeId, type Place } from './place.js';

export function releaseBody(release: Release, place: Place) {
  const api = apiOf(place);
  const html = htmlOf(place);
  const { id, tag, draft } = release;
  const self = `${api}/releases/${id}`;
  return {
    url: self,
    assets_url: `${self}/assets`,
    upload_url: `${self}/assets{?name,label}`,
    // A draft has no tag that it could stand at.
    html_url: draft ? `${html}/releases/tag/untagged-${id}` : `${html}/releases/tag/${inUrl(tag)}`,
    id,
    author: accountBody(release.author, place.state, place.url),
    node_id: nodeId('Release', id),
    tag_name: tag,
    target_commitish: release.target,
    name: release.name,
    draft,
    immutable: false,
    prerelease: release.prerelease,
    created_at: release.createdAt,
    updated_at: release.updatedAt,
    published_at: release.publishedAt,
    assets: [],
    tarball_url: draft ? null : `${api}/tarball/${inUrl(tag)}`,
    zipball_url: draft ? null : `${api}/zipball/${inUrl(tag)}`,
    body: release.body,
  };
}

export function deploymentBody(deployment: Deployment, place: Place) {
  const self = `${apiOf(place)}/deployments/${deployment.id}`;
  return {
    url: self,
    id: deployment.id,
    node_id: nodeId('Deployment', deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: accountBody(deployment.creator, place.state, place.url),
    created_at: deployment.createdAt,
    updated_at: deployment.updatedAt,
    statuses_url: `${self}/statuses`,
    repository_url: apiOf(place),
    transient_environment: deployment.transient,
    production_environment: deployment.production,
    performed_via_github_app: null,
  };
}

export function statusBody(status: DeploymentStatus, deployment: Deployment, place: Place) {
  const self = `${apiOf(place)}/deployments/${deployment.id}`;
  return {
    url: `${self}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DeploymentStatus', status.id),
    state: status.state,
    creator: accountBody(status.creator, place.state, place.url),
    description: status.description,
    environment: status.environment,
    // Named so before there was log_url; GitHub fills both.
    target_url: status.logUrl,
    log_url: status.logUrl,
    environment_url: status.environmentUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: self,
    repository_url: apiOf(place),
    performed_via_github_app: null,
  };
}
