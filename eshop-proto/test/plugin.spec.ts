import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { golden, runPluginOn, runPluginOnText } from './support/run-plugin.ts';

describe('the plugin', () => {
  const files = runPluginOn('test/fixtures/plugin', 'shop/v1/shop.proto');

  it('writes one file a concept', () => {
    expect([...files.keys()].sort()).toEqual([
      'codes.ts',
      'shop.ts',
      'shop/v1/shop_contract.ts',
      'shop/v1/shop_descriptors.ts',
      'shop/v1/shop_tables.ts',
    ]);
  });

  it.each(['codes.ts', 'shop.ts', 'shop/v1/shop_contract.ts', 'shop/v1/shop_tables.ts'])(
    'writes %s as expected',
    (name) => {
      const content = files.get(name) ?? '';
      expect(content).toBe(golden(`${name}.txt`, content));
    },
  );

  it('embeds the file and all it imports, imports first', () => {
    const texts = [...(files.get('shop/v1/shop_descriptors.ts') ?? '').matchAll(/'([A-Za-z0-9+/=]+)'/g)];
    const protos = texts.map(([, text]) =>
      fromBinary(FileDescriptorProtoSchema, Buffer.from(text as string, 'base64')),
    );
    expect(protos.at(-1)?.name).toBe('shop/v1/shop.proto');
    const seen = new Set<string>();
    for (const { name, dependency } of protos) {
      expect(dependency.filter((one) => !seen.has(one))).toEqual([]);
      seen.add(name);
    }
  });
});

describe('the plugin refuses', () => {
  const service = (rpc: string, option = '') => `syntax = "proto3"; package x.v1;
    import "eshop/v1/options.proto"; import "google/api/annotations.proto"; import "buf/validate/validate.proto";
    service x { ${option || 'option (eshop.v1.service) = { title: "t" http_port: 1 };'} ${rpc} }
    message A { uint64 id = 1; repeated uint64 ids = 2; }`;
  const message = (field: string) =>
    `syntax = "proto3"; package x.v1; import "buf/validate/validate.proto"; message A { ${field} }`;

  it.each([
    ['an rpc without a route', service('rpc Go(A) returns (A);'), /google.api.http/],
    [
      'a body other than *',
      service('rpc Go(A) returns (A) { option (google.api.http) = { post: "/a" body: "id" }; }'),
      /body/,
    ],
    [
      'an unknown path field',
      service('rpc Go(A) returns (A) { option (google.api.http) = { get: "/a/{no}" }; }'),
      /\{no\}/,
    ],
    [
      'a repeated path field',
      service('rpc Go(A) returns (A) { option (google.api.http) = { get: "/a/{ids}" }; }'),
      /\{ids\}/,
    ],
    ['a stream', service('rpc Go(A) returns (stream A) { option (google.api.http) = { get: "/a" }; }'), /unary/],
    ['a service without its facts', service('', 'option deprecated = false;'), /eshop.v1.service/],
    ['a kind of field that nothing handles', message('double price = 1;'), /not supported/],
    [
      'a timestamp that is no text',
      `syntax = "proto3"; package x.v1; import "eshop/v1/options.proto";
        message A { uint64 at = 1 [(eshop.v1.timestamp) = true]; }`,
      /timestamp/,
    ],
    ['rules of another type', message('string name = 1 [(buf.validate.field).uint32.gt = 0];'), /uint32/],
  ])('%s', (_what, text, error) => {
    expect(() => runPluginOnText(text)).toThrow(error);
  });
});
