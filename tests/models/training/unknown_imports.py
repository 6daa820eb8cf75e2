"""Names that scripts import and nobody defines, and scripts that do not parse, without running any: python3 unknown_imports.py FOLDER...

Prints one line each. A module is looked for in the script's own folder, then in the others, then in Python's own library; what FOREIGN ones define is not known here.
"""
import ast
import os
import sys

FOREIGN = {'bpy', 'bpy_extras', 'cv2', 'gi', 'mathutils', 'numpy', 'onnx', 'onnxruntime', 'torch', 'torchvision', 'scipy'}


def defined(tree):
    """Names at the top level of a module."""
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split('.')[0] for alias in node.names)
        else:
            names.update(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store))
    return names


def parsed(folder):
    """Module name -> (path, tree) of a folder."""
    trees = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith('.py'):
            path = os.path.join(folder, name)
            with open(path) as file:
                try:
                    trees[name[:-3]] = path, ast.parse(file.read(), name)
                except SyntaxError as error:
                    print(f'{path}:{error.lineno}: {error.msg}')
    return trees


def imported(tree):
    """(line, module, name or None) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)


def main():
    folders = [parsed(folder) for folder in sys.argv[1:]]
    everywhere = {name: found for trees in reversed(folders) for name, found in trees.items()}
    for own in folders:
        for path, tree in own.values():
            for line, module, name in imported(tree):
                _, target = own.get(module) or everywhere.get(module) or (None, None)
                if target and name and name not in defined(target):
                    print(f'{path}:{line}: {module} has no {name}')
                elif not target and module.split('.')[0] not in FOREIGN | set(sys.stdlib_module_names):
                    print(f'{path}:{line}: there is no module {module}')


main()
