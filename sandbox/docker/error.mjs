/** What Docker would tell its user, without a stack. */
export class BuilderError extends Error {}
