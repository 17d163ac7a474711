// Why the agent refused, by its stable codes.

import { pageWords } from '../../../src/lib/i18n/page';

export const refusalWords = pageWords(
  {
    noAnswer: 'The agent on this laptop does not answer. Nothing was lost: try again.',
    unexpected: 'That did not work. Try again.',
    tooManyTries: (wait: string) => `Too many wrong passwords. Try again in ${wait}.`,
    impossible: (steps: string) => `That does not fit any more. Possible now: ${steps}.`,
    code: {
      wrong_password: 'The password is wrong.',
      nobody_yet: 'Nobody can sign in on this laptop yet. Connect it to the network once.',
      locked: 'This laptop is locked. Call the monitoring centre.',
      signed_out: 'You are signed out. Sign in again: what you wrote is kept.',
      impossible: 'That does not fit any more.',
      report_lacks: 'The report is not whole yet. See what it lacks.',
      reason_missing: 'Say why it is written down only now.',
      in_the_future: 'That time has not come yet.',
      other_revision: 'Somebody else saved this report in the meantime.',
      unknown: 'There is no such entry on this laptop any more.',
      not_found: 'There is no such entry on this laptop any more.',
      too_large: 'The image is too large.',
      not_an_image: 'This is no image that can be kept. Take a JPEG or PNG.',
      no_space: 'The disk of this laptop is full. Nothing more can be saved: make room.',
    },
  },
  {
    noAnswer: '本机程序没有应答。内容没有丢失，请重试。',
    unexpected: '没有成功，请重试。',
    tooManyTries: (wait) => `口令错误次数过多，请在 ${wait}后重试。`,
    impossible: (steps) => `当前状态已不允许此操作。现在可以：${steps}。`,
    code: {
      wrong_password: '口令错误。',
      nobody_yet: '本机还没有可登录的人员，请先联网一次。',
      locked: '本机已锁定，请联系监控中心。',
      signed_out: '登录已失效，请重新登录。填写的内容已保留。',
      impossible: '当前状态已不允许此操作。',
      report_lacks: '报告还不完整，请查看缺少的内容。',
      reason_missing: '请说明为何现在才补记。',
      in_the_future: '该时间还没有到。',
      other_revision: '这份报告刚刚被他人保存过。',
      unknown: '本机已没有这条记录。',
      not_found: '本机已没有这条记录。',
      too_large: '图片太大。',
      not_an_image: '无法保存这种图片，请使用 JPEG 或 PNG。',
      no_space: '本机磁盘已满，无法继续保存，请清理空间。',
    },
  },
);
