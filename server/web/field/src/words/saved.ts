// What is saved on the laptop and how it is with the laptop itself, in words.

import { pageWords } from '../../../src/lib/i18n/page';

export const savedWords = pageWords(
  {
    title: 'Saved here',
    none: 'Nothing was written on this laptop yet.',
    kind: {
      visit: 'Visit report',
      report: 'Fault reported',
      step: 'Step of a fault',
      opened: 'Taken in on site',
      deed: 'Step of a matter',
      diagnosis: 'Diagnosis',
    },
    state: { here: 'on this laptop only', sent: 'sent, photos follow', complete: 'complete at the server' },
    photos: (whole: string, total: string) => `${whole} of ${total} photos sent`,
    rest: (time: string) => `about ${time} left`,
    sending: 'Sending',
    last: (time: string) => `Last contact ${time}`,
    never: 'Never in contact with the server',
    waiting: (records: string, parts: string, size: string) =>
      `Waiting to be sent: ${records} records, ${parts} photos, ${size}`,
    nothing: 'Everything is sent.',
    now: 'Contact the server now',
    asked: 'The agent is contacting the server.',
    clockOff: (by: string) => `The clock of this laptop was off by ${by}; times are corrected.`,
    doctor: 'Check this laptop',
    doctorTitle: 'How this laptop is',
    again: 'Check again',
  },
  {
    title: '本机记录',
    none: '本机还没有填写过内容。',
    kind: {
      visit: '走访报告',
      report: '报障',
      step: '故障进展',
      opened: '现场登记',
      deed: '事项进展',
      diagnosis: '诊断',
    },
    state: { here: '仅在本机', sent: '已上传，照片待传', complete: '服务器已完整接收' },
    photos: (whole, total) => `照片已上传 ${whole}/${total}`,
    rest: (time) => `约剩 ${time}`,
    sending: '正在上传',
    last: (time) => `最近联系服务器 ${time}`,
    never: '从未联系过服务器',
    waiting: (records, parts, size) => `待上传：记录 ${records} 条，照片 ${parts} 张，共 ${size}`,
    nothing: '已全部上传。',
    now: '立即联系服务器',
    asked: '正在联系服务器。',
    clockOff: (by) => `本机时钟偏差 ${by}，时间已自动更正。`,
    doctor: '检查本机',
    doctorTitle: '本机状况',
    again: '重新检查',
  },
);
