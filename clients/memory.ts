/** The last answers, oldest out first. Bounded, so that nobody can fill it from outside. */
export interface Answer<T> {
  value: T;
  /** Epoch milliseconds at which the question was sent. */
  askedAt: number;
}

export class Memory<T> {
  readonly #answers = new Map<string, Answer<T>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Answer<T> | undefined {
    return this.#answers.get(key);
  }

  /** An answer to an earlier question, that comes late, does not replace one to a later question. */
  set(key: string, answer: Answer<T>): void {
    if ((this.#answers.get(key)?.askedAt ?? 0) > answer.askedAt) return;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    const oldest = this.#answers.keys().next();
    if (this.#answers.size > this.#limit && !oldest.done) this.#answers.delete(oldest.value);
  }

  delete(key: string): void {
    this.#answers.delete(key);
  }

  /** Whether one of them is so. */
  some(is: (answer: Answer<T>) => boolean): boolean {
    for (const answer of this.#answers.values()) if (is(answer)) return true;
    return false;
  }

  get size(): number {
    return this.#answers.size;
  }
}
