// Package data finds, fetches, reads and (for a demo) synthesises months of TLC
// trip records: one face, [Trips], for every taxi type and year. It does not
// know what a feature, a model or a flow is.
//
// One ride's way through the package: [Source.Locate] answers a [File], which
// names a month by the hash of its bytes; [ReadTrips] turns the file's row
// groups into the columns of a [Trips]; [Trips.Kept] drops what lasted less than
// a minute or more than an hour.
package data
