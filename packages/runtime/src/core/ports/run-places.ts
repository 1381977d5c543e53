/** Which nodes worked on a run, by name, as far as this node knows. For the headers that say so. */
export interface RunPlaces {
  /** The node that took the run; null when it is not known. */
  routedTo(runId: string): string | null;
  /** The node whose model answered last; null when none did, or it is not known. */
  inferenceNode(runId: string): string | null;
}
