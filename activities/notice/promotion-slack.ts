/** Tells Slack of a promotion's change: a message each, and below it those whom a change concerns are called. */
import type { Config } from '../../domain/config/config.js';
import type { PromotionNews } from '../../domain/messages.js';
import { isLaterNews, promotionLinks } from '../../domain/promotion/notice.js';
import { promotionSlack } from '../../domain/promotion/slack.js';
import { createSlackSend } from './slack-send.js';

export interface PromotionSlackDeps {
  config: Pick<Config, 'apps' | 'slack' | 'maintainers'>;
  env: Record<string, string | undefined>;
}

/** @throws ApplicationFailure `SLACK_REFUSED`, that says what to do; retryable `SLACK_DOWN` */
export function createPromotionSlack({ config, env }: PromotionSlackDeps) {
  const send = createSlackSend(env);
  const { org, team } = config.maintainers;
  return async (news: PromotionNews): Promise<void> => {
    const { change, at, promotion } = news;
    const told = promotionSlack({
      news,
      links: promotionLinks(config, promotion, env['SLUICE_PUBLIC_URL']),
      users: config.slack.users,
      team: `${org}/${team}`,
    });
    if (!told) return;
    await send?.({
      ...{ type: 'sluice_promotion', id: promotion.id, place: { change, at } },
      since: promotion.queuedAt,
      ...told,
      isLater: (than) => isLaterNews(news, than),
    });
  };
}
