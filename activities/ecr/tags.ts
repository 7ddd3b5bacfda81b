/** Which tags the images of an app have: for the error of one that they have not. */
import { DescribeImagesCommand } from '@aws-sdk/client-ecr';
import type { ImageDetail } from '@aws-sdk/client-ecr';
import { Context } from '@temporalio/activity';
import type { Aws } from '../../clients/aws.js';
import type { AppConfig } from '../../domain/config/config.js';
import type { KnownTag } from '../../domain/rollback.js';
import { awsErrorName, awsFailure } from '../aws-errors.js';
import { patiently } from '../aws-again.js';

const PER_PAGE = 1_000;
/** ECR gives images in no order: of a larger repository some recent ones may be missing. */
const MOST_PAGES = 10;

/**
 * Tags that every image of the set has, with the time of the first image's push.
 * @throws ApplicationFailure `AWS_REFUSED`, retryable `AWS_DOWN`
 */
export async function tagsOfSet(aws: Pick<Aws, 'ecr'>, app: AppConfig): Promise<KnownTag[]> {
  const [first, ...others] = await Promise.all(
    app.images.map(async ({ repository }) => await tagsOf(aws, repository)),
  );
  return [...(first ?? [])]
    .filter(([tag]) => others.every((tags) => tags.has(tag)))
    .map(([tag, pushedAt]) => ({ tag, pushedAt }));
}

/** Tag → when its image was pushed. */
async function tagsOf(aws: Pick<Aws, 'ecr'>, repository: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let nextToken: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await pageOf(aws, repository, nextToken);
    for (const { imageTags = [], imagePushedAt } of answer.images) {
      for (const tag of imageTags) found.set(tag, imagePushedAt?.toISOString() ?? '');
    }
    nextToken = answer.nextToken;
    if (!nextToken) break;
  }
  return found;
}

async function pageOf(
  aws: Pick<Aws, 'ecr'>,
  repository: string,
  nextToken: string | undefined,
): Promise<{ images: ImageDetail[]; nextToken?: string }> {
  const command = new DescribeImagesCommand({
    repositoryName: repository,
    filter: { tagStatus: 'TAGGED' },
    maxResults: PER_PAGE,
    nextToken,
  });
  try {
    const abortSignal = Context.current().cancellationSignal;
    const answer = await patiently(() => aws.ecr.send(command, { abortSignal }));
    return {
      images: answer.imageDetails ?? [],
      ...(answer.nextToken ? { nextToken: answer.nextToken } : {}),
    };
  } catch (error) {
    if (awsErrorName(error) === 'RepositoryNotFoundException') return { images: [] };
    throw awsFailure(error, 'DescribeImages');
  }
}
