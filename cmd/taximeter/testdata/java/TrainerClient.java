import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.mlflow.api.proto.ModelRegistry.ModelVersion;
import org.mlflow.api.proto.Service.CreateExperiment;
import org.mlflow.api.proto.Service.CreateRun;
import org.mlflow.api.proto.Service.ExperimentTag;
import org.mlflow.api.proto.Service.FileInfo;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.Run;
import org.mlflow.api.proto.Service.RunInfo;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.api.proto.Service.ViewType;
import org.mlflow.tracking.ExperimentsPage;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.ModelVersionsPage;
import org.mlflow.tracking.RunsPage;

/**
 * Does what trainers do with MLflow's Java client, and checks what comes back:
 *
 *     java -cp CLASSPATH TrainerClient.java SERVER
 *
 * It hands artifacts to Python's client: MLFLOW_PYTHON_EXECUTABLE names a Python with mlflow.
 */
public class TrainerClient {
  static void check(String what, Object got, Object want) {
    if (!Objects.equals(got, want)) {
      System.err.println(what + ": got " + got + ", want " + want);
      System.exit(1);
    }
  }

  static void refused(String what, Runnable call, String code) {
    try {
      call.run();
    } catch (RuntimeException e) {
      check(what + ": " + e.getMessage(), e.getMessage().contains(code), true);
      return;
    }
    check(what, "not refused", code);
  }

  public static void main(String[] args) throws IOException {
    try (MlflowClient client = new MlflowClient(args[0])) {
      String experiment = experiments(client);
      String run = log(client, experiment);
      artifacts(client, run);
      search(client, experiment, run);
      models(client, run);
      client.deleteExperiment(experiment);
      check("deleted experiment", client.getExperiment(experiment).getLifecycleStage(), "deleted");
      client.restoreExperiment(experiment);
      System.out.println("mlflow-client 2.17.2: ok");
    }
  }

  static String experiments(MlflowClient client) {
    String id = client.createExperiment(
        CreateExperiment.newBuilder().setName("java").addTags(ExperimentTag.newBuilder().setKey("k").setValue("v")).build());
    refused("taken name", () -> client.createExperiment("java"), "RESOURCE_ALREADY_EXISTS");
    client.setExperimentTag(id, "note", "é");
    client.renameExperiment(id, "java again");
    check("by name", client.getExperimentByName("java again").get().getExperimentId(), id);
    check("missing", client.getExperimentByName("nothing"), Optional.empty());
    check("tags", client.getExperiment(id).getTagsCount(), 2);
    ExperimentsPage page = client.searchExperiments("tags.k = 'v'", ViewType.ACTIVE_ONLY, 5, List.of("name ASC"));
    check("experiments", page.getItems().get(0).getName(), "java again");
    refused("missing experiment", () -> client.getExperiment("987654321"), "RESOURCE_DOES_NOT_EXIST");
    return id;
  }

  static String log(MlflowClient client, String experiment) {
    RunInfo info = client.createRun(CreateRun.newBuilder().setExperimentId(experiment).setRunName("parent")
        .setStartTime(1700000000000L).setUserId("me").build());
    String id = info.getRunId();
    client.logParam(id, "depth", "30");
    refused("changed param", () -> client.logParam(id, "depth", "31"), "INVALID_PARAMETER_VALUE");
    for (int step = 0; step < 5; step++) {
      client.logMetric(id, "rmse", 7 - step / 4.0, 1700000000000L + step, step);
    }
    client.logMetric(id, "nan", Double.NaN);
    client.logMetric(id, "inf", Double.POSITIVE_INFINITY);
    client.setTag(id, "gone", "soon");
    client.deleteTag(id, "gone");
    client.logBatch(id,
        IntStream.range(0, 500).mapToObj(i -> Metric.newBuilder().setKey("many").setValue(i).setTimestamp(1700000000000L).setStep(i).build())
            .collect(Collectors.toList()),
        List.of(Param.newBuilder().setKey("rate").setValue("0.1").build()),
        List.of(RunTag.newBuilder().setKey("kind").setValue("java").build()));
    client.setTerminated(id, RunStatus.FINISHED, 1700000001000L);

    Run run = client.getRun(id);
    check("run", run.getInfo().getStatus() + " " + run.getInfo().getRunName() + " " + run.getInfo().getEndTime(), "FINISHED parent 1700000001000");
    check("params", run.getData().getParamsCount(), 2);
    check("history", client.getMetricHistory(id, "rmse").stream().map(Metric::getValue).collect(Collectors.toList()),
        List.of(7.0, 6.75, 6.5, 6.25, 6.0));
    check("batch", client.getMetricHistory(id, "many").size(), 500);
    check("nan", client.getMetricHistory(id, "nan").get(0).getValue(), Double.NaN);
    check("inf", client.getMetricHistory(id, "inf").get(0).getValue(), Double.MAX_VALUE);
    return id;
  }

  static void artifacts(MlflowClient client, String run) throws IOException {
    Path folder = Files.createTempDirectory("trainer"), inner = Files.createDirectory(folder.resolve("inner"));
    Path note = Files.writeString(folder.resolve("é 1+.txt"), "hello"), large = Files.write(inner.resolve("large"), new byte[3 << 20]);
    client.logArtifact(run, note.toFile());
    client.logArtifact(run, note.toFile(), "one/two");
    client.logArtifacts(run, folder.toFile(), "folder");
    check("artifacts", listed(client.listArtifacts(run)), List.of("folder/", "one/", "é 1+.txt 5"));
    check("in a folder", listed(client.listArtifacts(run, "folder/inner")), List.of("folder/inner/large " + (3 << 20)));
    check("text", Files.readString(client.downloadArtifacts(run, "one/two/é 1+.txt").toPath()), "hello");
    check("large", Files.mismatch(client.downloadArtifacts(run, "folder").toPath().resolve("inner/large"), large), -1L);
  }

  static List<String> listed(List<FileInfo> files) {
    return files.stream().map(f -> f.getPath() + (f.getIsDir() ? "/" : " " + f.getFileSize())).sorted().collect(Collectors.toList());
  }

  static void search(MlflowClient client, String experiment, String parent) {
    for (int i = 0; i < 5; i++) {
      RunInfo child = client.createRun(CreateRun.newBuilder().setExperimentId(experiment).setRunName("child " + i)
          .addTags(RunTag.newBuilder().setKey("mlflow.parentRunId").setValue(parent)).build());
      client.logMetric(child.getRunId(), "rmse", i);
      client.setTerminated(child.getRunId(), i == 0 ? RunStatus.FAILED : RunStatus.FINISHED);
    }
    List<String> in = List.of(experiment);
    String children = "tags.mlflow.parentRunId = '" + parent + "'";
    RunsPage page = client.searchRuns(in, children + " and metrics.rmse > 0", ViewType.ACTIVE_ONLY, 3, List.of("metrics.rmse DESC"));
    check("first page", page.getItems().stream().map(r -> r.getInfo().getRunName()).collect(Collectors.toList()), List.of("child 4", "child 3", "child 2"));
    RunsPage next = (RunsPage) page.getNextPage();
    check("second page", next.getItems().stream().map(r -> r.getInfo().getRunName()).collect(Collectors.toList()), List.of("child 1"));
    String last = next.getItems().get(0).getInfo().getRunId();
    client.deleteRun(last);
    check("deleted", client.searchRuns(in, children, ViewType.DELETED_ONLY).size(), 1);
    client.restoreRun(last);
    check("restored", client.searchRuns(in, children).size(), 5);
    refused("bad filter", () -> client.searchRuns(in, "a or b"), "INVALID_PARAMETER_VALUE");
    refused("missing run", () -> client.getRun("0".repeat(32)), "RESOURCE_DOES_NOT_EXIST");
  }

  static void models(MlflowClient client, String run) {
    client.sendPost("registered-models/create", "{\"name\": \"Java model\"}");
    for (int i = 1; i <= 3; i++) {
      client.sendPost("model-versions/create", "{\"name\": \"Java model\", \"source\": \"runs:/" + run + "/model\", \"run_id\": \"" + run + "\"}");
    }
    client.sendPost("model-versions/transition-stage",
        "{\"name\": \"Java model\", \"version\": \"2\", \"stage\": \"Staging\", \"archive_existing_versions\": false}");
    client.sendPatch("registered-models/update", "{\"name\": \"Java model\", \"description\": \"of rides\"}");
    check("model", client.getRegisteredModel("Java model").getDescription(), "of rides");
    check("version", client.getModelVersion("Java model", "2").getCurrentStage(), "Staging");
    check("latest", client.getLatestVersions("Java model", List.of("Staging")).get(0).getVersion(), "2");
    check("latest of all", client.getLatestVersions("Java model").size(), 2);
    check("where", client.getModelVersionDownloadUri("Java model", "1").endsWith(run + "/artifacts/model"), true);
    ModelVersionsPage page = client.searchModelVersions("name='Java model'", 2, List.of("version_number ASC"));
    check("versions", page.getItems().stream().map(ModelVersion::getVersion).collect(Collectors.toList()), List.of("1", "2"));
    check("more versions", ((ModelVersionsPage) page.getNextPage()).getItems().get(0).getVersion(), "3");
  }
}
