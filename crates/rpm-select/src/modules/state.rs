//! What dnf enables of itself: the streams whose packages are installed, and what enabled streams depend on.

use std::collections::BTreeSet;

use super::{Activation, EnabledModule};

impl Activation<'_> {
    /// Enables active streams of which a package, told by its NEVRA with its epoch, is installed; then the streams that
    /// enabled ones depend on.
    pub(crate) fn enable_installed(&mut self, installed: &BTreeSet<String>) {
        let mut queue = Vec::new();
        for (place, (_, stream)) in self.streams.all.iter().enumerate() {
            if !self.is_active(place) {
                continue;
            }
            let enabled = self.enabled.contains_key(&stream.module);
            if enabled
                || stream
                    .artifacts
                    .iter()
                    .any(|artifact| installed.contains(artifact))
            {
                queue.push(place);
            }
        }
        let mut seen: BTreeSet<usize> = queue.iter().copied().collect();
        while let Some(place) = queue.pop() {
            let Some((_, stream)) = self.streams.all.get(place) else {
                continue;
            };
            let name = &stream.stream;
            self.enabled
                .entry(stream.module.clone())
                .or_insert_with(|| EnabledModule {
                    stream: name.clone(),
                    profiles: Vec::new(),
                });
            for (module, streams) in &stream.requires {
                queue.extend(
                    self.satisfying(module, streams)
                        .filter(|place| seen.insert(*place)),
                );
            }
        }
    }
}
