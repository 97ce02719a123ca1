//! What an RPM package is: EVR, dependencies, headers, package files and their payloads, scriptlets, transaction order.
