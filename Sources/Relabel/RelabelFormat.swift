// Whoever imports the library has the words of the format, too.
@_exported public import RelabelFormat
