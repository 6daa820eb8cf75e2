import type { AgentView, CameraView, Me } from '@watchpost/shared/api/incidents'
import type { EvidenceStore } from '../../evidence/evidence-store.js'
import type { CameraState, Registry } from '../../registry/registry.js'

/** What the registry knows of a camera with its newest picture, as far as this person may see it. */
export interface CameraViews {
  all(viewer: Me): Promise<readonly CameraView[]>
  one(cameraId: string, viewer: Me): Promise<CameraView | undefined>
  agents(viewer: Me): readonly AgentView[]
}

export const createCameraViews = (
  registry: Pick<Registry, 'cameras' | 'agents'>,
  evidence: Pick<EvidenceStore, 'newestPicture'>,
): CameraViews => {
  const withPicture = async (camera: CameraState): Promise<CameraView> => {
    const picture = await evidence.newestPicture(camera.id)
    const takenAt = picture && new Date(picture.takenAt ?? picture.storedAt).toISOString()
    return { ...camera, snapshot: picture && takenAt ? { sha256: picture.sha256, takenAt } : null }
  }
  const mayShow = (camera: CameraState, viewer: Me): boolean =>
    viewer.role !== 'wardOfficer' || (camera.wardId !== null && camera.wardId === viewer.wardId)

  return {
    all: viewer =>
      Promise.all(
        registry
          .cameras()
          .filter(camera => mayShow(camera, viewer))
          .map(withPicture),
      ),
    one: async (cameraId, viewer) => {
      const camera = registry.cameras().find(({ id }) => id === cameraId)
      return camera && mayShow(camera, viewer) ? withPicture(camera) : undefined
    },
    // Agents serve sites, not wards, and are the engineers' business.
    agents: viewer => (viewer.role === 'wardOfficer' ? [] : registry.agents()),
  }
}
