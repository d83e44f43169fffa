import { ContractError } from '@eshop/proto';

/** What Redis answers; UNAVAILABLE when it does not, or says that it cannot work now. */
export async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new ContractError('UNAVAILABLE', 'Redis is not available at the moment', { cause });
  }
}
