/** A person's hold on a lane or a promotion queue. */
export interface Lock {
  reason: string;
  by: string;
  at: string;
  code?: string;
}
