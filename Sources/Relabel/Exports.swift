// Whoever imports the library has the words of the format, too.
@_exported public import RelabelFormat
// Only within this package: nothing there is public but the digest of a file.
@_exported public import RelabelSystem
