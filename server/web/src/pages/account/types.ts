// What the API says of one's own access.

export interface OwnSession {
  id: string;
  began_at: string;
  seen_at: string;
  ends_at: string;
  address: string;
  browser: string;
  screen: boolean;
  here: boolean;
}

export interface ApiToken {
  id: string;
  label: string;
  scope: 'read' | 'write';
  created_at: string;
  expires_at: string | null;
  used_on: string | null;
}

export interface Account {
  user: string;
  second_factor: { on_since: string | null; recovery_codes: number; required: boolean };
  /** Where the server knows a provider. */
  single_sign_on?: { connected_at?: string };
}

export interface FactorSetup {
  secret: string;
  uri: string;
}
