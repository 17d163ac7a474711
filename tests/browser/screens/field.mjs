// Every screen of the technician's page of which a picture is made.
//
// As in `pages.mjs`: `path(ids)` is its address behind `#/`; `ready` must be seen; `empty`: an empty state may be on it; `size`
// and `dark` of the picture (1024×768, a tablet, and light otherwise); `signedOut`: before anybody has signed in.

const PHONE = { width: 390, height: 844 };

export const SCREENS = [
  { name: 'field-sign-in', path: () => '', ready: '.people button', signedOut: true },
  { name: 'field-today', path: () => '', ready: '[data-panel=faults] [data-due]' },
  { name: 'field-today-phone', path: () => '', ready: '[data-panel=faults] [data-due]', size: PHONE },
  { name: 'field-today-dark', path: () => '', ready: '[data-panel=faults] [data-due]', dark: true },
  { name: 'field-fault', path: ({ fault }) => `fault/${fault}`, ready: '[data-panel=facts] time' },
  { name: 'field-lines', path: () => 'lines', ready: '[data-line-state]' },
  { name: 'field-line', path: ({ line }) => `lines/${line}`, ready: '[data-panel=hours] canvas' },
  { name: 'field-customer', path: ({ customer }) => `customers/${customer}`, ready: '[data-panel=owed] a' },
  { name: 'field-report-fault', path: ({ line }) => `report?line=${line}`, ready: '[data-form=report]' },
  {
    name: 'field-take-in',
    path: ({ customer }) => `take-in?customer=${customer}`,
    ready: '[data-form=take-in]',
  },
  { name: 'field-matter', path: ({ matter }) => `matter/${matter}`, ready: '[data-panel=steps] button' },
  { name: 'field-report', path: ({ draft }) => `draft/${draft}`, ready: '[data-save=saved]' },
  {
    name: 'field-report-phone',
    path: ({ draft }) => `draft/${draft}`,
    ready: '[data-save=saved]',
    size: PHONE,
  },
  { name: 'field-visit', path: ({ visit }) => `visit/${visit}`, ready: 'article' },
  { name: 'field-saved', path: () => 'saved', ready: '[data-panel=saved] li' },
  { name: 'field-doctor', path: () => 'doctor', ready: '[data-panel=doctor] li' },
];
