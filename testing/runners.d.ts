/** What the entries use of runners that a checkout does not install; projects that do have their own types. */

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> {}
  interface AsymmetricMatchers {}
}

declare module '@jest/globals' {
  export const expect: {
    extend(matchers: object): void;
    addSnapshotSerializer(serializer: object): void;
  };
}

declare module '@playwright/test' {
  export interface Expect<M = object> {
    <T>(actual: T): unknown;
    extend<N>(matchers: N): Expect<M & N>;
  }
  export const expect: Expect;
}
