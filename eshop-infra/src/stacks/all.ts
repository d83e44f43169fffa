import { dockerStack } from './docker/stack.ts';
import { nativeStack } from './native.ts';
import type { Stack, StackName } from './stack.ts';

export const stacks: Readonly<Record<StackName, Stack>> = { native: nativeStack, docker: dockerStack };
