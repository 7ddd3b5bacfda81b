/** One question to GitHub at a time, its errors turned into failures. */
import type { Octokit } from '@octokit/rest';
import type { Credentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config/config.js';
import { later } from '../failure.js';
import { githubFailure, hasStatus, SETTLE_MS, type Doing } from './errors.js';

export interface GitHubDeps {
  config: Config;
  credentials: Pick<Credentials, 'octokit' | 'describe'>;
}

type Ask<T> = (rest: Octokit['rest']) => Promise<{ data: T; status?: number }>;
type Question = Omit<Doing, 'as'>;

export class GitHub {
  /** As every call to the repository needs them. */
  readonly repo: { owner: string; repo: string };

  constructor(private readonly deps: GitHubDeps) {
    const { owner, name } = deps.config.repository;
    this.repo = { owner, repo: name };
  }

  /** @throws ApplicationFailure as `githubFailure` */
  async ask<T>(question: Question, ask: Ask<T>): Promise<T> {
    return await this.#send(question, ask, (error) => {
      throw this.#failure(question, error);
    });
  }

  /** @returns undefined where GitHub answers 404 or one of `absent` */
  async find<T>(question: Question, ask: Ask<T>, absent: number[] = []): Promise<T | undefined> {
    return await this.#send(question, ask, (error) => {
      if (hasStatus(error, 404, ...absent)) return undefined;
      throw this.#failure(question, error);
    });
  }

  /**
   * Makes what can be there once only. Where GitHub says (409, 422) that it does not, `find` decides: the
   * earlier attempt, whose answer was lost, may have made it in the meantime.
   */
  async make<T, F>(question: Question, make: Ask<T>, find: () => Promise<F | undefined>): Promise<T | F> {
    const doing = { ...question, write: true };
    return await this.#send<T, F>(doing, make, async (error) => {
      const found = hasStatus(error, 409, 422) ? await find() : undefined;
      if (found === undefined) throw this.#failure(doing, error);
      return found;
    });
  }

  async #send<T, E>(
    { what, write }: Question,
    ask: Ask<T>,
    failed: (error: unknown) => E | Promise<E>,
  ): Promise<T | E> {
    let answer: Awaited<ReturnType<Ask<T>>>;
    try {
      answer = await ask(this.deps.credentials.octokit().rest);
    } catch (error) {
      return await failed(error);
    }
    // A page of a proxy comes with status 200 too; only an answer without content is text by right.
    if (typeof answer.data !== 'string' || answer.status === 204) return answer.data;
    throw later(
      'GITHUB_DOWN',
      `What answers for GitHub to ${what} does not answer as GitHub does`,
      write ? SETTLE_MS : undefined,
    );
  }

  #failure(question: Question, error: unknown): Error {
    return githubFailure(error, { ...question, as: this.deps.credentials.describe() });
  }
}
