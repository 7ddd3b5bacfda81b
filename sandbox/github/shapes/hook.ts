/** Webhooks and their deliveries. */
import type { Delivery, Hook } from '../webhooks/hooks.js';
import { apiOf, type Place } from './place.js';

export function hookBody(hook: Hook, place: Place) {
  const self = `${apiOf(place)}/hooks/${hook.id}`;
  const { last } = hook;
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.active,
    events: hook.events,
    config: {
      content_type: 'json',
      insecure_ssl: '0',
      url: hook.url,
      ...(hook.secret === undefined ? {} : { secret: '********' }),
    },
    updated_at: hook.updatedAt,
    created_at: hook.createdAt,
    url: self,
    test_url: `${self}/test`,
    ping_url: `${self}/pings`,
    deliveries_url: `${self}/deliveries`,
    last_response: last
      ? { code: last.statusCode, status: last.statusCode < 300 ? 'active' : 'failed', message: last.status }
      : { code: null, status: 'unused', message: null },
  };
}

export function deliveryBody(delivery: Delivery, repositoryId: number) {
  const { answer } = delivery;
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: Math.round((delivery.durationMs ?? 0) / 10) / 100,
    status: answer?.status ?? 'pending',
    status_code: answer?.statusCode ?? 0,
    event: delivery.event,
    action: delivery.action,
    installation_id: null,
    repository_id: repositoryId,
    throttled_at: null,
  };
}

export function fullDeliveryBody(delivery: Delivery, repositoryId: number) {
  const { answer } = delivery;
  return {
    ...deliveryBody(delivery, repositoryId),
    url: delivery.url,
    request: { headers: delivery.headers, payload: JSON.parse(delivery.body) as object },
    response: { headers: answer?.headers ?? null, payload: answer?.payload ?? null },
  };
}
