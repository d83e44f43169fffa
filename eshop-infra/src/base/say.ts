/** Tells on standard error how far a command has come; standard output is for its result. */
export const say = (text: string): void => console.error(`eshop: ${text}`);
