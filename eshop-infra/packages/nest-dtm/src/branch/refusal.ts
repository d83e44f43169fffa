/** Thrown by a branch: the business says no. In an action DTM rolls the transaction back. */
export class Refusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refusal';
  }
}

/** Thrown by a branch: not yet, ask again after the same interval. */
export class Ongoing extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Ongoing';
  }
}
