"""Lists and trees: other users' ids, routes, bodies and conditions; `moves` has more."""

from tests.hostile.case import accepted, invalid, refused
from tests.hostile.messages import (
    COMPLETE,
    FOREIGN,
    FOREIGN_LIST,
    LIST,
    LISTS,
    MERGE_PATCH,
    MISSING,
    MISSING_LIST,
    OWN,
    OWN_LIST,
    POSITION,
    TASK,
    delete,
    get,
    message,
    move,
    patch,
    post,
    put,
)

FIRST = b'{"place": "first"}'
NAMED = b'{"name": "Groceries"}'
BOBS_LISTS = "/api/tasks/bob/lists"
BOBS_LIST = f"{BOBS_LISTS}/{{foreign list}}"

CASES = [
    *refused(
        1,
        401,
        "unauthenticated",
        {
            "lists without a token": get(LISTS, token=None),
            "a new list without a token": post(NAMED, target=LISTS, token=None),
            "a deletion of a list without a token": message("DELETE", OWN_LIST, token=None),
            "a move without a token": message("PATCH", OWN + POSITION, body=FIRST, token=None),
        },
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            "another user's lists": get(BOBS_LISTS),
            "a new list for another user": post(NAMED, target=BOBS_LISTS),
            "a list under another user's path": get(BOBS_LIST),
            "a list renamed under another user's path": patch(NAMED, target=BOBS_LIST),
            "a list moved under another user's path": move(FIRST, target=BOBS_LIST + POSITION),
            "a list deleted under another user's path": delete(target=f"{BOBS_LIST}?tasks=delete"),
            "a task moved under another user's path": move(
                FIRST, target=f"/api/tasks/bob/tasks/{{foreign}}{POSITION}"
            ),
            "the own list under another user's path": get(f"{BOBS_LISTS}/{{own list}}"),
        },
    ),
    *refused(
        3,
        404,
        "list-not-found",
        {
            "another user's list": get(FOREIGN_LIST),
            "a look at a list of another user": message("HEAD", FOREIGN_LIST),
            "another user's list renamed": patch(NAMED, target=FOREIGN_LIST),
            "another user's list moved": move(FIRST, target=FOREIGN_LIST + POSITION),
            "another user's list moved behind no list": move(
                b'{"after": "{missing}"}', target=FOREIGN_LIST + POSITION
            ),
            "another user's list deleted": delete(target=FOREIGN_LIST),
            "another user's list deleted with its tasks": delete(
                target=f"{FOREIGN_LIST}?tasks=delete"
            ),
            "another user's list deleted under a key": delete(
                "Idempotency-Key: hostile-foreign-list", target=f"{FOREIGN_LIST}?tasks=inbox"
            ),
            "no list": get(MISSING_LIST),
            "no list renamed at any version": patch(NAMED, "If-Match: *", target=MISSING_LIST),
            "no list deleted": delete(target=MISSING_LIST),
            "the id of a task for that of a list": get(f"{LISTS}/{{own}}"),
            "a deletion of a list by the id of a task": delete(target=f"{LISTS}/{{own}}"),
        },
    ),
    *refused(
        3,
        404,
        "task-not-found",
        {
            "another user's task moved": move(FIRST, target=FOREIGN + POSITION),
            "another user's task moved behind no task": move(
                b'{"after": "{missing}"}', target=FOREIGN + POSITION
            ),
            "another user's task deleted with its sub-tasks": delete(
                target=f"{FOREIGN}?subtasks=delete"
            ),
            "no task moved": move(FIRST, target=MISSING + POSITION),
            "no task deleted with its sub-tasks": delete(target=f"{MISSING}?subtasks=delete"),
            "another user's task put under no task": patch(
                b'{"parent_id": "{missing}"}', target=FOREIGN
            ),
            "the id of a list for that of a task": get(f"{LIST}/{{own list}}"),
        },
    ),
    *invalid(
        3,
        "/parent_id",
        {
            "a task under itself": patch(b'{"parent_id": "{own}"}'),
            "a task under itself, in upper case": patch(b'{"parent_id": "{OWN}"}'),
            "a task under itself, by an update": put(b'{"title": "x", "parent_id": "{own}"}'),
        },
    ),
    *invalid(
        3,
        ("/list_id", "/parent_id"),
        {
            "a task in another user's list, under a task of theirs": post(
                b'{"title": "x", "list_id": "{foreign list}", "parent_id": "{foreign}"}'
            ),
        },
    ),
    *invalid(
        4,
        "/position",
        {
            "a creation with a position": post(b'{"title": "x", "position": "a"}'),
            "an update with a position": put(b'{"title": "x", "position": "a"}'),
            "a patch of the position": patch(b'{"position": null}'),
            "a new list with a position": post(b'{"name": "x", "position": "a"}', target=LISTS),
            "a patch of the position of a list": patch(b'{"position": "a"}', target=OWN_LIST),
        },
    ),
    *invalid(
        4,
        "/user_id",
        {
            "a new list in the name of another": post(
                b'{"name": "x", "user_id": "bob"}', target=LISTS
            ),
            "a list given away": patch(b'{"user_id": "bob"}', target=OWN_LIST),
            "a move that gives a task away": move(b'{"place": "last", "user_id": "bob"}'),
        },
    ),
    *invalid(4, "/title", {"a list with a title": patch(TASK, target=OWN_LIST)}),
    *refused(
        21,
        400,
        "malformed-request",
        {
            "an empty move": move(b""),
            "a move that breaks off": move(b'{"place": "last"'),
            "a move by a name twice": move(b'{"place": "first", "place": "last"}'),
            "an empty list": post(b"", target=LISTS),
        },
    ),
    *invalid(
        22,
        "",
        {
            "a move by a list": move(b'[{"place": "last"}]'),
            "a move by null": move(b"null"),
            "a move by a string": move(b'"last"'),
            "a new list by a string": post(b'"Groceries"', target=LISTS),
        },
    ),
    *invalid(22, "/name", {"a list without a name": post(b"{}", target=LISTS)}),
    *refused(
        22,
        415,
        "unsupported-media-type",
        {
            "a move without a body": move(None),
            "a move as a merge patch": message(
                "PATCH", OWN + POSITION, body=FIRST, media=MERGE_PATCH
            ),
            "a new list as a merge patch": post(NAMED, target=LISTS, media=MERGE_PATCH),
        },
    ),
    *invalid(
        23,
        "?sort",
        {
            "a sort by position without a list": get(f"{LIST}?sort=position"),
            "a sort by position under a task": get(f"{LIST}?sort=-position&parent_id={{own}}"),
        },
    ),
    *invalid(23, "?x", {"a parameter of the lists": get(f"{LISTS}?x=1")}),
    *invalid(23, "?limit", {"a limit of the lists": get(f"{LISTS}?limit=1")}),
    *invalid(
        23, "?place", {"a place in the query": move(FIRST, target=f"{OWN}{POSITION}?place=last")}
    ),
    *refused(
        6,
        400,
        "malformed-request",
        {
            "a cursor of all tasks in a list": get(f"{LIST}?list_id=inbox&cursor={{cursor}}"),
            "a cursor of all tasks under a task": get(
                f"{LIST}?parent_id={{own}}&cursor={{cursor}}"
            ),
            "a cursor by title in the manual order": get(
                f"{LIST}?list_id=inbox&sort=position&cursor={{cursor by title}}"
            ),
        },
    ),
    *refused(
        25,
        404,
        "not-found",
        {
            "the list 01": get(f"{LISTS}/01"),
            "the inbox as a list": get(f"{LISTS}/inbox"),
            "a deletion of the inbox": delete(target=f"{LISTS}/inbox?tasks=delete"),
            "a list with an id without dashes": get(f"{LISTS}/{{own without dashes}}"),
            "the tasks below a list": get(f"{OWN_LIST}/tasks"),
            "a completion of a list": message("PATCH", OWN_LIST + COMPLETE),
            "something below a move": move(FIRST, target=f"{OWN}{POSITION}/now"),
            "a slash behind the lists": get(f"{LISTS}/"),
        },
    ),
    *refused(
        26,
        400,
        "malformed-request",
        {
            "a move at a number": move(FIRST, "If-Match: 1"),
            "a move under an empty key": move(FIRST, "Idempotency-Key:"),
            "a deletion of a list at a number": delete("If-Match: 1", target=OWN_LIST),
        },
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {
            "PUT of one list": put(NAMED, target=OWN_LIST),
            "POST of one list": post(NAMED, target=OWN_LIST),
            "DELETE of all lists": delete(target=LISTS),
            "POST of a move": post(FIRST, target=OWN + POSITION),
            "GET of a position": get(OWN + POSITION),
        },
    ),
    *refused(
        26,
        412,
        "precondition-failed",
        {
            "a move at another version": move(FIRST, 'If-Match: "2"'),
            "a move at another version behind no task": move(
                b'{"after": "{missing}"}', 'If-Match: "2"'
            ),
            "a list moved at another version": move(
                FIRST, 'If-Match: "2"', target=OWN_LIST + POSITION
            ),
            "a list deleted at another version": delete(
                'If-Match: "2"', target=f"{OWN_LIST}?tasks=delete"
            ),
            "a tree deleted at another version": delete(
                'If-Match: "2"', target=f"{OWN}?subtasks=delete"
            ),
            "a task put under no task at another version": patch(
                b'{"parent_id": "{missing}"}', 'If-Match: "2"'
            ),
            "a new list unless there is any": post(NAMED, "If-None-Match: *", target=LISTS),
        },
    ),
    *accepted(
        3,
        201,
        {
            "a task in the own list": post(b'{"title": "x", "list_id": "{own list}"}'),
            "a task under the own task": post(b'{"title": "x", "parent_id": "{own}"}'),
            "a task under the own task, in upper case": post(
                b'{"title": "x", "parent_id": "{OWN}"}'
            ),
            "a list of the name of another": post(NAMED, target=LISTS),
        },
    ),
    *accepted(
        3,
        200,
        {
            "a task moved to the own list": patch(b'{"list_id": "{own list}"}'),
            "a task moved to the own list by an update": put(
                b'{"title": "x", "list_id": "{own list}"}'
            ),
            "tasks in another user's list": get(f"{LIST}?list_id={{foreign list}}&sort=position"),
            "tasks in no list": get(f"{LIST}?list_id={{missing}}", "Prefer: count=exact"),
            "tasks under another user's task": get(f"{LIST}?parent_id={{foreign}}"),
            "tasks under a task, in upper case": get(f"{LIST}?parent_id={{OWN}}"),
            "tasks in the inbox, in their order": get(f"{LIST}?list_id=inbox&sort=-position"),
            "a move to the start": move(FIRST),
            "a list moved to the end": move(b'{"place": "last"}', target=OWN_LIST + POSITION),
        },
    ),
    *accepted(
        23,
        204,
        {
            "a tree deleted": delete(target=f"{OWN}?subtasks=delete"),
            "a list deleted, its tasks to the inbox": delete(target=f"{OWN_LIST}?tasks=inbox"),
            "a list deleted with its tasks": delete(target=f"{OWN_LIST}?tasks=delete"),
            "a list deleted, the option encoded": delete(target=f"{OWN_LIST}?t%61sks=%69nbox"),
        },
    ),
]
