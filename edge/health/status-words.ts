import type { CameraStatus } from '@watchpost/shared/contracts/agent-status'

export type Language = 'vi' | 'en'

type Condition = CameraStatus['condition']

interface Words {
  readonly agent: string
  readonly cameras: string
  readonly camera: string
  readonly condition: string
  readonly lastFrame: string
  readonly inference: string
  readonly dropped: string
  readonly waiting: string
  readonly oldest: string
  readonly delivered: string
  readonly refused: string
  readonly thinned: string
  readonly pictures: string
  readonly uplink: string
  readonly connected: string
  readonly disconnected: string
  readonly allWell: string
  readonly attention: string
  readonly running: string
  readonly none: string
  readonly conditions: Readonly<Record<string, string>>
}

export const words: Readonly<Record<Language, Words>> = {
  en: {
    agent: 'Watchpost agent',
    cameras: 'Cameras',
    camera: 'Camera',
    condition: 'Condition',
    lastFrame: 'Last picture',
    inference: 'Model time',
    dropped: 'Pictures passed over',
    waiting: 'Messages waiting',
    oldest: 'oldest',
    delivered: 'Delivered',
    refused: 'Refused by central',
    thinned: 'Thinned',
    pictures: 'Pictures waiting',
    uplink: 'Connection to central',
    connected: 'connected',
    disconnected: 'not connected: recording goes on, everything is sent later',
    allWell: 'All is well',
    attention: 'Needs attention',
    running: 'Running since',
    none: 'none',
    conditions: {
      ok: 'good',
      starting: 'starting',
      offline: 'offline',
      unauthorised: 'wrong credentials',
      'not-a-video': 'not a video',
      stalled: 'no pictures',
      frozen: 'frozen',
      black: 'black',
      covered: 'covered',
      moved: 'moved',
      blurred: 'blurred',
      'clock-skew': 'clock is wrong',
    },
  },
  vi: {
    agent: 'Trạm Watchpost',
    cameras: 'Camera',
    camera: 'Camera',
    condition: 'Tình trạng',
    lastFrame: 'Hình mới nhất',
    inference: 'Thời gian phân tích',
    dropped: 'Hình bỏ qua',
    waiting: 'Bản tin chờ gửi',
    oldest: 'cũ nhất',
    delivered: 'Đã gửi',
    refused: 'Trung tâm từ chối',
    thinned: 'Đã lược bớt',
    pictures: 'Ảnh chờ gửi',
    uplink: 'Kết nối trung tâm',
    connected: 'đã kết nối',
    disconnected: 'mất kết nối: vẫn ghi nhận, sẽ gửi sau',
    allWell: 'Mọi thứ bình thường',
    attention: 'Cần kiểm tra',
    running: 'Hoạt động từ',
    none: 'không',
    conditions: {
      ok: 'tốt',
      starting: 'đang khởi động',
      offline: 'mất kết nối',
      unauthorised: 'sai tài khoản',
      'not-a-video': 'không phải video',
      stalled: 'không có hình',
      frozen: 'hình đứng',
      black: 'hình đen',
      covered: 'bị che',
      moved: 'bị xê dịch',
      blurred: 'mờ',
      'clock-skew': 'sai giờ',
    },
  },
}

export const conditionWord = (condition: Condition, language: Language): string =>
  words[language].conditions[condition] ?? condition

/** Vietnamese unless the browser prefers English to it. */
export const languageOf = (acceptLanguage: string | undefined): Language => {
  const preferred = (acceptLanguage ?? '')
    .split(',')
    .map(part => {
      const [tag = '', quality] = part.trim().split(';q=')
      return { language: tag.slice(0, 2).toLowerCase(), quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ language }) => language === 'vi' || language === 'en')
    .sort((a, b) => b.quality - a.quality)[0]
  return preferred?.language === 'en' ? 'en' : 'vi'
}
