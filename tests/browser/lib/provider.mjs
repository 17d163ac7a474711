// A real provider of OpenID Connect, as a process of its own: `node provider.mjs PORT REDIRECT_URI`. Whoever says a name is
// believed; what stands before a dot in it is the group.

import Provider from 'oidc-provider';

const [port, redirect] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'linewatch',
      client_secret: 'sample:secret of a test',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  scopes: ['openid', 'profile', 'groups'],
  claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
  // The claims of scopes are told by the endpoint for them alone, as the standard has it.
  conformIdTokenClaims: true,
  pkce: { required: () => true },
  cookies: { keys: ['sample key of a test'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: [id.split('.')[0]] }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
