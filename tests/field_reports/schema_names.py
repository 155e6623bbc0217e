"""Names that generators of clients make by themselves, from the name of a schema, tag or operation.

`{Schema}`, `{Operation}` and `{ETag}` stand for each name of the document, `{Property}` and
`{Parameter}` for each that its schema or operation has. A name without them is declared once.
"""

from tests.field_reports.report import Report

OPENAPI_GENERATOR = "OpenAPITools/openapi-generator 7.26.0"
OGEN = "ogen-go/ogen"
OAPI_CODEGEN = "oapi-codegen/oapi-codegen"
KIOTA = "microsoft/kiota"
PYTHON_CLIENT = "openapi-generators/openapi-python-client"
PROGENITOR = "oxidecomputer/progenitor"

NONE: frozenset[str] = frozenset()
"""The schemas so named."""

MADE = [
    Report(f"{KIOTA}#3920", "Go: the constructors", "New{Schema} New{Schema}WithDefaults", NONE),
    Report(OPENAPI_GENERATOR, "Go: what may be null", "Nullable{Schema} NewNullable{Schema}", NONE),
    Report(OPENAPI_GENERATOR, "Go: each operation's request", "Api{Operation}Request", NONE),
    Report(OPENAPI_GENERATOR, "Go: each tag's service", "{Tag}API {Tag}APIService", NONE),
    Report(OGEN, "Go: what may be missing or null", "Opt{Schema} Nil{Schema} OptNil{Schema}", NONE),
    Report(
        OGEN, "Go: each operation's answers", "{Operation}Res {Operation}OK {Operation}Req", NONE
    ),
    Report(
        OAPI_CODEGEN, "Go: each operation's parts", "{Operation}Params {Operation}JSONBody", NONE
    ),
    Report(OAPI_CODEGEN, "Go: each operation's body", "{Operation}JSONRequestBody", NONE),
    Report(
        OPENAPI_GENERATOR,
        "Java, Kotlin, C#, PHP: each tag's class",
        "{Tag}Api {Tag}ApiService",
        NONE,
    ),
    Report(OPENAPI_GENERATOR, "Java, Dart: builders", "{Schema}Builder", NONE),
    Report(
        OPENAPI_GENERATOR, "C#, Dart: converters", "{Schema}JsonConverter {Schema}Serializer", NONE
    ),
    Report(OPENAPI_GENERATOR, "C#: each operation's answer", "{Operation}ApiResponse", NONE),
    Report(OPENAPI_GENERATOR, "TypeScript: converters", "{Schema}FromJSON {Schema}ToJSON", NONE),
    Report(
        OPENAPI_GENERATOR,
        "Rust: each operation's answers",
        "{Operation}Error {Operation}Success",
        NONE,
    ),
    Report(OPENAPI_GENERATOR, "R, Scala: objects", "{Schema}Object {Schema}Enums", NONE),
    Report(
        OPENAPI_GENERATOR, "schemas in place", "{Schema}{Property} {Schema}{Property}Inner", NONE
    ),
    Report(
        OPENAPI_GENERATOR,
        "choices in place",
        "{Schema}{Property}Enum {Operation}{Parameter}Enum",
        NONE,
    ),
    Report(OPENAPI_GENERATOR, "several in one", "{Schema}OneOf {Schema}AnyOf {Schema}AllOf", NONE),
    Report(
        OPENAPI_GENERATOR,
        "bodies and answers in place",
        "{Operation}Request {Operation}Response",
        NONE,
    ),
    Report(
        OPENAPI_GENERATOR, "lists and maps in place", "List{Schema} Map{Schema} {Schema}Inner", NONE
    ),
    Report(
        PYTHON_CLIENT, "Python: choices and bodies", "{Operation}{Parameter} {Operation}Body", NONE
    ),
    Report(KIOTA, "each path's builder", "{Schema}RequestBuilder {Tag}RequestBuilder", NONE),
    Report(PROGENITOR, "Rust: the tags' traits", "Client{Tag}Ext", NONE),
    Report(
        OPENAPI_GENERATOR,
        "what each client has",
        "ApiClient ApiException ApiResponse Configuration",
        NONE,
    ),
    Report(
        OPENAPI_GENERATOR,
        "Go: what its client has",
        "APIClient APIResponse ServerConfiguration",
        NONE,
    ),
    Report(
        OPENAPI_GENERATOR,
        "Swift: what its client has",
        "ErrorResponse Response RequestBuilder",
        NONE,
    ),
    Report(
        "languages",
        "their own",
        "Error Exception Object String List Map Set Date File Result",
        NONE,
    ),
    Report(
        "languages", "more of their own", "Option Optional Type Class Function Data Any Void", NONE
    ),
]
