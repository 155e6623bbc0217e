import java.util.List;
import java.util.stream.Collectors;
import taskservice.*;
import taskservice.api.*;
import taskservice.model.*;

public class Tasks {
    static final ApiClient CLIENT = new ApiClient();

    static {
        CLIENT.setBasePath("http://127.0.0.1:8000");
        CLIENT.setBearerToken(System.getenv("TOKEN"));
    }

    static final HistoryApi HISTORY = new HistoryApi(CLIENT);
    static final SummaryApi SUMMARY = new SummaryApi(CLIENT);
    static final TasksApi TASKS = new TasksApi(CLIENT);
    static final TrashApi TRASH = new TrashApi(CLIENT);

    static String flag(boolean value) {
        return value ? "True" : "False";
    }

    static String titles() throws ApiException {
        List<TrashedTask> found = TRASH.listTrash("ada", null, null, null);
        String titles = found.stream().map(TrashedTask::getTitle).collect(Collectors.joining(", "));
        return titles.isEmpty() ? "nothing" : titles;
    }

    static Task create(String title) throws ApiException {
        return TASKS.createTask("ada", new TaskCreate().title(title), null);
    }

    static void rename(Task task, String title) throws ApiException {
        TASKS.patchTask("ada", task.getId(), new TaskPatch().title(title), null, null);
    }

    static UndoneTask undo(Task task, TaskChange change) throws ApiException {
        Undo body = new Undo().sequence(change.getSequence());
        return HISTORY.undoTaskChange("ada", task.getId(), body, null, null);
    }

    public static void main(String[] arguments) throws Exception {
        Task task = create("Milk");
        rename(task, "Oat milk");
        TASKS.deleteTask("ada", task.getId(), null, null, null);
        System.out.printf("trash: %s%n", titles());
        TrashedTask trashed = TRASH.getTrashedTask("ada", task.getId(), null);
        String isKept = flag(trashed.getPurgedAfter().isAfter(trashed.getTrashedAt()));
        System.out.printf("kept: %s, %s%n", isKept, flag(trashed.getTrashedWith() == null));
        Task restored = TRASH.restoreTask("ada", task.getId(), null, null);
        System.out.printf("restored: %s, %d%n", restored.getTitle(), restored.getVersion());

        List<TaskChange> changes = HISTORY.listTaskChanges("ada", task.getId(), null, null);
        String types = changes.stream().map(TaskChange::getType).collect(Collectors.joining(", "));
        System.out.printf("history: %s%n", types);
        TaskChange rename = changes.get(2);
        String hasNoClient = flag(changes.get(0).getClient() == null);
        System.out.printf("before: %s, %s%n", rename.getPrevious().get("title"), hasNoClient);
        UndoneTask undone = undo(task, rename);
        System.out.printf("undone: %s, %d%n", undone.getTitle(), undone.getVersion());
        rename(task, "Soy milk");
        try {
            undo(task, rename);
        } catch (ApiException error) {
            Problem problem = Problem.fromJson(error.getResponseBody());
            String pointer = problem.getErrors().get(0).getPointer();
            System.out.printf("refused: %d %s%n", problem.getStatus(), pointer);
        }

        Summary summary = SUMMARY.getSummary("ada", "Europe/Berlin");
        ListTotals inbox = summary.getLists().get(0);
        String isInbox = flag(inbox.getListId() == null);
        String numbers = String.format("%d, %d, %s", summary.getOpen(), inbox.getOpen(), isInbox);
        System.out.printf("summary: %s, %s%n", summary.getTimeZone(), numbers);
        UndoneTask removed = undo(task, changes.get(3));
        String isTrashed = flag(removed.getPurgedAfter().isAfter(removed.getTrashedAt()));
        System.out.printf("removed: %s, %s%n", removed.getTitle(), isTrashed);
        TRASH.purgeTask("ada", task.getId(), null, null);
        System.out.printf("purged: %s%n", titles());
        TASKS.deleteTask("ada", create("Bread").getId(), null, null, null);
        Purged purged = TRASH.purgeTrash("ada", null);
        System.out.printf("emptied: %d, %s%n", purged.getPurged(), flag(purged.getMore()));
    }
}
