interface SelectProps {
  label: string;
  value: string | undefined;
  options: readonly string[];
  onChange: (value: string) => void;
}

export function Select({ label, value = '', options, onChange }: SelectProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">any</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}
