import { pageWords } from '../lib/i18n/page';

export const secondStepWords = pageWords(
  {
    code: 'Code of your authenticator app',
    hint: 'Six digits. Without the app: one of your recovery codes.',
    submit: 'Go on',
    required:
      'Your role has to have a second factor. Take this picture with an authenticator app, or type the secret in; then give the code that the app shows.',
    picture: 'The secret as a QR code',
    keepCodes:
      'Recovery codes: each is good once, when the app is lost. They are shown only now; keep them where the app is not.',
    kept: 'I have kept them',
  },
  {
    code: '验证器应用中的验证码',
    hint: '六位数字。验证器不在身边时，可用恢复码。',
    submit: '继续',
    required:
      '您的角色必须启用双因素验证。请用验证器应用扫描二维码或手动输入密钥，然后填写应用显示的验证码。',
    picture: '密钥二维码',
    keepCodes: '恢复码：验证器丢失时使用，每个限用一次。仅显示这一次，请与验证器分开保存。',
    kept: '已保存',
  },
);
