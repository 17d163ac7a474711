// The mock's drafts: revisions, images, what a report lacks, and its end.

import { createHash, randomUUID } from 'node:crypto';
import { FORMS, iso } from './sample.mjs';

const EMPTY_PARTS = { total: 0, whole: 0, bytes: 0, sent_bytes: 0 };

export function drafts(world) {
  const nameOf = (code) => world.customers.find((it) => it.code === code)?.name ?? '';
  const shown = (it) => {
    const { id, revision, changed_at, draft } = it;
    return { id, revision, changed_at, by: it.by, draft, lacks: lacksOf(draft) };
  };
  const begin = ({ body }) => {
    const it = { id: randomUUID(), revision: 1, changed_at: iso(world.now()), images: new Map() };
    world.drafts.set(it.id, { ...it, draft: body, by: world.user });
    return [201, shown(world.drafts.get(it.id))];
  };
  const list = () => {
    const items = [...world.drafts.values()].map(({ id, draft, changed_at, by }) => ({
      id,
      customer: draft.customer ?? '',
      customer_name: nameOf(draft.customer),
      title: draft.purpose ?? '',
      changed_at,
      by,
    }));
    return [200, items.sort((a, b) => b.changed_at.localeCompare(a.changed_at))];
  };
  const put = ({ match, body }) => {
    const it = world.drafts.get(match[1]);
    if (!it) return [404, { code: 'not_found' }];
    if (body.revision !== it.revision) return [409, { code: 'other_revision', newer: shown(it) }];
    Object.assign(it, { revision: it.revision + 1, changed_at: iso(world.now()), draft: body.draft });
    const { revision, changed_at } = it;
    return [200, { revision, changed_at, lacks: lacksOf(it.draft) }];
  };
  const addImage = ({ match, url, body, type }) => {
    const it = world.drafts.get(match[1]);
    if (!it) return [404, { code: 'not_found' }];
    if (!/^image\/(jpeg|png)$/.test(type)) return [422, { code: 'no_picture' }];
    const sha256 = createHash('sha256').update(body).digest('hex');
    it.images.set(sha256, { role: url.searchParams.get('role'), bytes: body, type });
    world.images.set(sha256, { bytes: body, type });
    return [201, { sha256, bytes: body.length, media: type }];
  };
  const image = ({ match }) => {
    const found = world.drafts.get(match[1])?.images.get(match[2]);
    return found ? [200, found.bytes, found.type] : [404, { code: 'not_found' }];
  };
  const part = ({ match }) => {
    const found = world.images.get(match[1]);
    return found ? [200, found.bytes, found.type] : [404, { code: 'not_found' }];
  };
  const finish = ({ match }) => {
    const it = world.drafts.get(match[1]);
    if (!it) return world.visits.has(match[1]) ? [200, { id: match[1] }] : [404, { code: 'not_found' }];
    const lacks = lacksOf(it.draft);
    if (lacks.length) return [422, { code: 'report_lacks', lacks }];
    world.drafts.delete(it.id);
    const visit = finished(it, world, nameOf(it.draft.customer));
    world.visits.set(it.id, visit);
    const bytes = visit.parts.reduce((all, one) => all + one.bytes, 0);
    world.saved.unshift({
      id: it.id,
      kind: 'visit',
      title: it.draft.purpose ?? '',
      customer: it.draft.customer,
      line: it.draft.line ?? null,
      at: visit.at,
      by: visit.by,
      state: 'here',
      parts: { ...EMPTY_PARTS, total: visit.parts.length, bytes },
    });
    return [201, { id: it.id }];
  };
  const discard = ({ match }) => (world.drafts.delete(match[1]) ? [204] : [404, { code: 'not_found' }]);
  const dropImage = ({ match }) => (world.drafts.get(match[1])?.images.delete(match[2]) ? [204] : [404, {}]);
  const of = (map) => (map ? [200, map] : [404, { code: 'not_found' }]);
  return [
    ['GET', /^\/drafts$/, list],
    ['POST', /^\/drafts$/, begin],
    [
      'GET',
      /^\/drafts\/([^/]+)$/,
      ({ match }) => of(world.drafts.has(match[1]) && shown(world.drafts.get(match[1]))),
    ],
    ['PUT', /^\/drafts\/([^/]+)$/, put],
    ['DELETE', /^\/drafts\/([^/]+)$/, discard],
    ['POST', /^\/drafts\/([^/]+)\/photos$/, addImage],
    ['GET', /^\/drafts\/([^/]+)\/photos\/([^/]+)$/, image],
    ['DELETE', /^\/drafts\/([^/]+)\/photos\/([^/]+)$/, dropImage],
    ['POST', /^\/drafts\/([^/]+)\/finish$/, finish],
    ['GET', /^\/visits\/([^/]+)$/, ({ match }) => of(world.visits.get(match[1]))],
    ['GET', /^\/parts\/([^/]+)$/, part],
  ];
}

/** As a record keeps an answer. */
function told(value) {
  if (typeof value === 'boolean') return { flag: value };
  return typeof value === 'number' ? { number: value } : { text: value };
}

const formOf = (name) =>
  FORMS.find((form) => name && form.name === name.name && form.version === name.version);

/** A little of what the agent looks for. */
function lacksOf(draft) {
  const own = ['customer', 'purpose', 'met'].filter((name) => !draft[name]?.trim());
  const answers = draft.answers ?? {};
  const asked = (formOf(draft.form)?.fields ?? []).filter(
    ({ when }) => !when || when.is.includes(String(answers[when.field])),
  );
  const unanswered = asked.filter(({ name, required }) => required && answers[name] === undefined);
  return [...own, ...unanswered.map(({ name }) => name)].map((field) => ({ field, why: 'missing' }));
}

function finished({ id, draft, images }, world, customer_name) {
  const { answers = {}, photos = [], signature, ...rest } = draft;
  const partOf = (role, sha256, more = {}) => {
    const { bytes, type } = images.get(sha256);
    const part = { sha256, role, media: type, bytes: bytes.length, caption: '', taken_at: null, place: null };
    return { ...part, ...more, whole: false, here: true };
  };
  const parts = photos.map(({ sha256, ...more }) => partOf('photo', sha256, more));
  if (signature) parts.push(partOf('signature', signature));
  const visit = {
    ...rest,
    answers: Object.entries(answers).map(([field, value]) => ({ field, value: told(value) })),
  };
  const at = draft.at ?? iso(world.now());
  const form = formOf(draft.form) ?? null;
  return {
    id,
    at,
    by: world.user,
    state: 'here',
    customer_name,
    device: 'sample-laptop',
    visit,
    form,
    parts,
  };
}
