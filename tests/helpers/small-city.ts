/** The city file of one ward and one site with one camera, le-loi-1; `agents` as YAML lists them. */
export const smallCity = (agents: string) => `
version: 1
name: { vi: Huế, en: Hue }
centre: [107.59, 16.46]
wards:
  - { id: thuan-hoa, name: { vi: Thuận Hóa, en: Thuan Hoa }, polygon: [[107.5, 16.4], [107.7, 16.4], [107.7, 16.5], [107.5, 16.5], [107.5, 16.4]] }
sites:
  - id: an-cuu
    name: { vi: An Cựu, en: An Cuu }
    agents: [${agents}]
    cameras: [{ id: le-loi-1, name: { vi: Lê Lợi, en: Le Loi }, location: [107.59, 16.46] }]
hotspots: []
`
