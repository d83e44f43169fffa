/** Tells how far something has come. */
export type Say = (text: string) => void;

/** Tells on standard error how far a command has come; standard output is for its result. */
export const say: Say = (text) => console.error(`eshop: ${text}`);
