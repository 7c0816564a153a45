package io.emtal.samples.table;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say which data sets a command is about. */
public final class DataSetOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--data", required = true, paramLabel = "DIR",
            description = "Folder with the data sets, at any depth, or one data set: a folder with a schema.json whose "
                + "\"files\" say which rows train and which test.")
    private Path data;

    @Option(names = "--set", paramLabel = "NAME", description = "Only this data set; may be given several times.")
    private List<String> sets = List.of();

    /** Made by the command line. */
    private DataSetOptions() {
    }

    /**
     * Finds the data sets.
     *
     * @return their folders by their names, in the order of their paths
     * @throws ParameterException if there is none of a name that was given
     * @throws io.emtal.onnx.EmtalException if there is none at all, a schema cannot be read, or two have the same name
     */
    public Map<String, Path> folders() {
        Map<String, Path> folders = new LinkedHashMap<>(TableFolders.under(data));
        for (String set : sets) {
            if (!folders.containsKey(set)) {
                throw new ParameterException(command.commandLine(), "--set " + set
                        + ": there is none of this name; allowed are " + String.join(", ", folders.keySet()));
            }
        }
        folders.keySet().removeIf(set -> !sets.isEmpty() && !sets.contains(set));
        return folders;
    }

    /**
     * The files of all data sets of the folder, those too that are not among the chosen ones.
     *
     * @return the schemas, and the files that they name
     * @throws io.emtal.onnx.EmtalException if there is no data set, a schema cannot be read, or two have the same name
     */
    public List<Path> files() {
        List<Path> files = new ArrayList<>();
        for (Path folder : TableFolders.under(data).values()) {
            Path schema = folder.resolve(Schema.FILE);
            files.add(schema);
            Schema.read(schema).layout().ifPresent(layout -> layout.files().forEach(name ->
                    files.add(folder.resolve(name))));
        }
        return files;
    }
}
